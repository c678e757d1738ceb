// kernel average_pool_backward = stored_f32 loop_bound window average_pool_backward
// dx = the sum of dy over the windows that cover the cell, divided by a window's area.
//
// dx: [batch, height, width, channels], dy: [batch, output_height, output_width, channels]. One
// invocation computes one element of dx. Windows are in window.wgsl.

@group(0) @binding(1) var<storage, read> dy: array<Stored>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored>;

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
        var sum = 0.0;
        for (var row = rows.x; row < last_row; row++) {
            for (var column = columns.x; column < last_column; column++) {
                sum += f32(dy[output_index(at.image, row, column, at.channel)]);
            }
        }
        dx[i] = Stored(sum / f32(params.window_height * params.window_width));
    }
}
