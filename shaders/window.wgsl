// The cells of a map that a pooling window covers; the Rust twin is src/ops/window.rs.
//
// Maps are [batch, height, width, channels]. A Position is one element of a map; ranges are from
// start to before end.

struct Params {
    // Number of invocations with something to compute.
    length: u32,
    channels: u32,
    height: u32,
    width: u32,
    output_height: u32,
    output_width: u32,
    window_height: u32,
    window_width: u32,
    stride: u32,
    padding: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

struct Position {
    image: u32,
    row: u32,
    column: u32,
    channel: u32,
}

// The position of element i in a map of this height and width.
fn position(i: u32, height: u32, width: u32) -> Position {
    let cell = i / params.channels;
    let row = cell / width;
    return Position(row / height, row % height, cell % width, i % params.channels);
}

fn input_index(image: u32, row: u32, column: u32, channel: u32) -> u32 {
    return ((image * params.height + row) * params.width + column) * params.channels + channel;
}

fn output_index(image: u32, row: u32, column: u32, channel: u32) -> u32 {
    return ((image * params.output_height + row) * params.output_width + column) * params.channels + channel;
}

// a - b, or zero if that is negative.
fn minus(a: u32, b: u32) -> u32 {
    return a - min(a, b);
}

// The cells of window `output` on an axis of `input` cells.
fn cells(output: u32, size: u32, input: u32) -> vec2<u32> {
    let start = output * params.stride;
    return vec2(minus(start, params.padding), min(minus(start + size, params.padding), input));
}

// The windows over cell `input` on an axis of `output` windows.
fn windows(input: u32, size: u32, output: u32) -> vec2<u32> {
    let padded = input + params.padding;
    let first = (minus(padded + 1u, size) + params.stride - 1u) / params.stride;
    return vec2(first, min(padded / params.stride + 1u, output));
}
