// dx = for each cell and channel, the sum over the windows that cover the cell and their filters of dy times weight; zero
// where there is a mask that is not positive.
//
// One invocation computes the channels that are read together, of four neighbouring cells. Sizes are in
// conv2d_params.wgsl.

@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<Terms>;
@group(0) @binding(3) var<storage, read_write> dx: array<Terms>;

fn load(index: u32, inside: bool) -> Terms {
    return Terms(select(0.0, dy[index], inside));
}

fn store(cell: u32, term: u32, sum: Terms) {
    if cell < params.cells {
        let place = cell * terms_of_cell() + term;
        dx[place] = masked(sum, place);
    }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + lane;
    let terms = terms_of_cell();
    let term = i % terms;
    let cells = 4u * (i / terms) + vec4(0u, 1u, 2u, 3u);
    if cells.x < params.cells {
        let lines = cells / params.width;
        let images = lines / params.height;
        let padded_rows = lines % params.height + params.padding;
        let padded_columns = cells % params.width + params.padding;
        let window_height = loop_bound(params.window_height, groups);
        let window_width = loop_bound(params.window_width, groups);
        let filters = loop_bound(params.filters, groups);
        let next_filter = params.window_height * params.window_width * terms;
        var sum0 = Terms();
        var sum1 = Terms();
        var sum2 = Terms();
        var sum3 = Terms();
        for (var row = 0u; row < window_height; row++) {
            // Where the window begins that has the cell in this row.
            let tops = padded_rows - row;
            let rows = tops / params.stride;
            let rows_begin = (rows * params.stride == tops) & (rows < vec4(params.output_height));
            let rows_inside = rows_begin & (padded_rows >= vec4(row)) & (cells < vec4(params.cells));
            for (var column = 0u; column < window_width; column++) {
                let lefts = padded_columns - column;
                let columns = lefts / params.stride;
                let columns_begin = (columns * params.stride == lefts) & (columns < vec4(params.output_width));
                let inside = rows_inside & columns_begin & (padded_columns >= vec4(column));
                let windows = (images * params.output_height + rows) * params.output_width + columns;
                let begin = select(vec4(0u), windows * params.filters, inside);
                let weights = (row * params.window_width + column) * terms + term;
                for (var index = 0u; index < filters; index++) {
                    let w = weight[weights + index * next_filter];
                    sum0 = fma(load(begin.x + index, inside.x), w, sum0);
                    sum1 = fma(load(begin.y + index, inside.y), w, sum1);
                    sum2 = fma(load(begin.z + index, inside.z), w, sum2);
                    sum3 = fma(load(begin.w + index, inside.w), w, sum3);
                }
            }
        }
        store(cells.x, term, sum0);
        store(cells.y, term, sum1);
        store(cells.z, term, sum2);
        store(cells.w, term, sum3);
    }
}
