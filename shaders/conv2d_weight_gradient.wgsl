// sums = for each filter, place in the window and channel, the sum over some windows of dy times x.
//
// sums: [parts, filters, window_height, window_width, channels]. One invocation computes, of one part, four filters for
// one place and the channels that are read together. A part is some lines: rows of windows, of all images. Sizes are in
// conv2d_params.wgsl.

@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<Terms>;
@group(0) @binding(3) var<storage, read_write> sums: array<Terms>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + lane;
    let terms = terms_of_cell();
    let patch_terms = params.window_height * params.window_width * terms;
    let place = i % patch_terms;
    let term = place % terms;
    let row_in_window = place / terms / params.window_width;
    let column_in_window = place / terms % params.window_width;
    let first = 4u * (i / patch_terms);
    if first < params.filters {
        // The windows that have this place inside the map, not in the padding.
        let before = params.padding - min(column_in_window, params.padding);
        let begin = (before + params.stride - 1u) / params.stride;
        let reach = params.width + params.padding;
        let after = reach - min(column_in_window, reach);
        let end = loop_bound(min((after + params.stride - 1u) / params.stride, params.output_width), groups);
        let first_line = group.z * params.lines_of_part;
        let last_line = loop_bound(min(first_line + params.lines_of_part, params.lines), groups);
        let filters = neighbours(first, params.filters);
        var sum0 = Terms();
        var sum1 = Terms();
        var sum2 = Terms();
        var sum3 = Terms();
        for (var line = first_line; line < last_line; line++) {
            // Below zero wraps around to more than any size.
            let row = line % params.output_height * params.stride + row_in_window - params.padding;
            let image = line / params.output_height;
            let left = (image * params.height + row) * params.width + column_in_window - params.padding;
            let stop = select(begin, end, row < params.height);
            for (var column = begin; column < stop; column++) {
                let value = x[(left + column * params.stride) * terms + term];
                let outputs = (line * params.output_width + column) * params.filters + filters;
                sum0 = fma(Terms(dy[outputs.x]), value, sum0);
                sum1 = fma(Terms(dy[outputs.y]), value, sum1);
                sum2 = fma(Terms(dy[outputs.z]), value, sum2);
                sum3 = fma(Terms(dy[outputs.w]), value, sum3);
            }
        }
        let output = (group.z * params.filters + first) * patch_terms + place;
        let left_over = params.filters - first;
        sums[output] = sum0;
        if left_over > 1u {
            sums[output + patch_terms] = sum1;
        }
        if left_over > 2u {
            sums[output + 2u * patch_terms] = sum2;
        }
        if left_over > 3u {
            sums[output + 3u * patch_terms] = sum3;
        }
    }
}
