// Sizes of a convolution; the formulas are in src/ops/conv2d/mod.rs.
//
// Maps are x, dx: [batch, height, width, channels] and y, dy: [batch, output_height, output_width, filters];
// weight, dw: [filters, window_height, window_width, channels].

struct Params {
    // Cells of the map that is computed, of all images.
    cells: u32,
    channels: u32,
    filters: u32,
    height: u32,
    width: u32,
    output_height: u32,
    output_width: u32,
    window_height: u32,
    window_width: u32,
    stride: u32,
    padding: u32,
    relu: u32,
    // Rows of windows, of all images, and how many of them a part of the weight's gradient sums.
    lines: u32,
    lines_of_part: u32,
    parts: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Four neighbours from `first` on, the last of `count` again instead of those past the end.
fn neighbours(first: u32, count: u32) -> vec4<u32> {
    return min(first + vec4(0u, 1u, 2u, 3u), vec4(count - 1u));
}
