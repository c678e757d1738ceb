// kernel max_pool_backward_apart = stored_f32 lanes_1 loop_bound window max_pool_backward_apart
// kernel max_pool_backward_apart_4 = stored_f32 lanes_4 loop_bound window max_pool_backward_apart
// dx = dy at the first largest cell of each window, zero elsewhere. Windows must not overlap.
//
// x, dx: [batch, height, width, channels], y, dy: [batch, output_height, output_width, channels].
// One invocation writes the cells of one window, and the cells after it that are in no window, for
// one channel or four: see lanes_1.wgsl. Windows are in window.wgsl.

@group(0) @binding(1) var<storage, read> x: array<Kept>;
@group(0) @binding(2) var<storage, read> y: array<Kept>;
@group(0) @binding(3) var<storage, read> dy: array<Kept>;
@group(0) @binding(4) var<storage, read_write> dx: array<Kept>;

// The range from the start of window `output` to the start of the next one; the first and the last
// window reach the edges.
fn territory(output: u32, outputs: u32, input: u32) -> vec2<u32> {
    let start = minus(output * params.stride, params.padding);
    let end = minus((output + 1u) * params.stride, params.padding);
    return vec2(start, select(end, input, output + 1u == outputs));
}

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i < params.length {
        let at = position(i, params.output_height, params.output_width);
        let rows = territory(at.row, params.output_height, params.height);
        let columns = territory(at.column, params.output_width, params.width);
        let window_bottom = cells(at.row, params.window_height, params.height).y;
        let window_right = cells(at.column, params.window_width, params.width).y;
        let last_row = loop_bound(rows.y, groups);
        let last_column = loop_bound(columns.y, groups);
        let largest = Lanes(y[i]);
        var left = Lanes(dy[i]);
        for (var row = rows.x; row < last_row; row++) {
            for (var column = columns.x; column < last_column; column++) {
                let cell = input_index(at.image, row, column, at.channel);
                let is_inside = (row < window_bottom) & (column < window_right);
                let takes = (Lanes(x[cell]) == largest) & Flags(is_inside);
                dx[cell] = Kept(select(Lanes(0.0), left, takes));
                left = select(left, Lanes(0.0), takes);
            }
        }
    }
}
