// kernel max_pool = stored_f32 lanes_1 loop_bound window max_pool
// kernel max_pool_4 = stored_f32 lanes_4 loop_bound window max_pool
// y = the largest of x in each window. NaN wins, so that divergence becomes visible in the loss.
//
// x: [batch, height, width, channels], y: [batch, output_height, output_width, channels]. One
// invocation computes one element of y, or four: see lanes_1.wgsl. Windows are in window.wgsl.

@group(0) @binding(1) var<storage, read> x: array<Kept>;
@group(0) @binding(2) var<storage, read_write> y: array<Kept>;

const INFINITY_BITS = 0x7f800000u;

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
        var largest = Lanes(x[input_index(at.image, rows.x, columns.x, at.channel)]);
        for (var row = rows.x; row < last_row; row++) {
            for (var column = columns.x; column < last_column; column++) {
                let value = Lanes(x[input_index(at.image, row, column, at.channel)]);
                // Compilers may assume that no float is NaN, but not that no word has these bits.
                let is_nan = (bitcast<Bits>(value) & Bits(0x7fffffffu)) > Bits(INFINITY_BITS);
                largest = select(largest, value, (value > largest) | is_nan);
            }
        }
        y[i] = Kept(largest);
    }
}
