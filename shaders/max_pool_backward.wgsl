// kernel max_pool_backward = stored_f32 loop_bound window max_pool_backward
// dx = the sum of dy over the windows whose first largest cell this is.
//
// x, dx: [batch, height, width, channels], y, dy: [batch, output_height, output_width, channels].
// One invocation computes one element of dx, so that nothing is added atomically. Windows are in
// window.wgsl.

@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> y: array<Stored>;
@group(0) @binding(3) var<storage, read> dy: array<Stored>;
@group(0) @binding(4) var<storage, read_write> dx: array<Stored>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i < params.length {
        let at = position(i, params.height, params.width);
        let rows = windows(at.row, params.window_height, params.output_height);
        let columns = windows(at.column, params.window_width, params.output_width);
        let last_row = loop_bound(rows.y, groups);
        let last_column = loop_bound(columns.y, groups);
        let mine = x[i];
        var sum = 0.0;
        for (var row = rows.x; row < last_row; row++) {
            for (var column = columns.x; column < last_column; column++) {
                let output = output_index(at.image, row, column, at.channel);
                let largest = y[output];
                if mine == largest {
                    // An equal cell before this one receives the gradient instead.
                    var first = true;
                    let top = cells(row, params.window_height, params.height).x;
                    let sides = cells(column, params.window_width, params.width);
                    let bottom = loop_bound(at.row, groups);
                    for (var above = top; above <= bottom; above++) {
                        let right = select(sides.y, at.column, above == at.row);
                        for (var left = sides.x; left < loop_bound(right, groups); left++) {
                            if x[input_index(at.image, above, left, at.channel)] == largest {
                                first = false;
                            }
                        }
                    }
                    if first {
                        sum += f32(dy[output]);
                    }
                }
            }
        }
        dx[i] = Stored(sum);
    }
}
