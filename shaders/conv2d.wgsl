// y = for each window and filter, the sum over the window's cells and channels of x times weight, plus a bias where
// there is one, then ReLU where that is asked for. Padding counts as zeros.
//
// One invocation computes four filters of four neighbouring windows. Sizes are in conv2d_params.wgsl.

@group(0) @binding(1) var<storage, read> x: array<Terms>;
@group(0) @binding(2) var<storage, read> weight: array<Terms>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn load(index: u32, inside: bool) -> Terms {
    return select(Terms(), x[index], inside);
}

fn store(cell: u32, first: u32, sums: vec4<f32>) {
    for (var lane = 0u; lane < 4u; lane++) {
        let index = first + lane;
        if cell < params.cells && index < params.filters {
            let sum = biased(sums[lane], index);
            y[cell * params.filters + index] = select(sum, 0.0, params.relu == 1u && sum < 0.0);
        }
    }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + lane;
    let tiles = (params.filters + 3u) / 4u;
    let first = 4u * (i % tiles);
    let cells = 4u * (i / tiles) + vec4(0u, 1u, 2u, 3u);
    if cells.x < params.cells {
        let lines = cells / params.output_width;
        let images = lines / params.output_height;
        // A window that begins in the padding begins below zero, which wraps around to more than any size.
        let top = lines % params.output_height * params.stride - params.padding;
        let left = cells % params.output_width * params.stride - params.padding;
        let terms = terms_of_cell();
        let filters = neighbours(first, params.filters) * (params.window_height * params.window_width);
        let window_height = loop_bound(params.window_height, groups);
        let window_width = loop_bound(params.window_width, groups);
        let term_count = loop_bound(terms, groups);
        var sums0 = vec4(0.0);
        var sums1 = vec4(0.0);
        var sums2 = vec4(0.0);
        var sums3 = vec4(0.0);
        for (var row = 0u; row < window_height; row++) {
            let rows = top + row;
            let rows_inside = (rows < vec4(params.height)) & (cells < vec4(params.cells));
            for (var column = 0u; column < window_width; column++) {
                let columns = left + column;
                let inside = rows_inside & (columns < vec4(params.width));
                let places = ((images * params.height + rows) * params.width + columns) * terms;
                let begin = select(vec4(0u), places, inside);
                let weights = (filters + row * params.window_width + column) * terms;
                for (var term = 0u; term < term_count; term++) {
                    let w = Filters(
                        weight[weights.x + term],
                        weight[weights.y + term],
                        weight[weights.z + term],
                        weight[weights.w + term],
                    );
                    sums0 += load(begin.x + term, inside.x) * w;
                    sums1 += load(begin.y + term, inside.y) * w;
                    sums2 += load(begin.z + term, inside.z) * w;
                    sums3 += load(begin.w + term, inside.w) * w;
                }
            }
        }
        store(cells.x, first, sums0);
        store(cells.y, first, sums1);
        store(cells.z, first, sums2);
        store(cells.w, first, sums3);
    }
}
