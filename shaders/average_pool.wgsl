// kernel average_pool = stored_f32 loop_bound window average_pool
// y = the sum of x in each window, divided by the window's area: padding counts as zeros.
//
// x: [batch, height, width, channels], y: [batch, output_height, output_width, channels]. One
// invocation computes one element of y. Windows are in window.wgsl.

@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i < params.length {
        let at = position(i, params.output_height, params.output_width);
        let rows = cells(at.row, params.window_height, params.height);
        let columns = cells(at.column, params.window_width, params.width);
        let last_row = loop_bound(rows.y, groups);
        let last_column = loop_bound(columns.y, groups);
        var sum = 0.0;
        for (var row = rows.x; row < last_row; row++) {
            for (var column = columns.x; column < last_column; column++) {
                sum += f32(x[input_index(at.image, row, column, at.channel)]);
            }
        }
        y[i] = Stored(sum / f32(params.window_height * params.window_width));
    }
}
