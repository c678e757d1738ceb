// x[row, p] = scale[c] image[order[first + row], p] + shift[c], c = p / plane
// batch_labels[row] = labels[order[first + row]]
//
// piece, next_piece: [piece_images, stride] and [next_images, stride] words of four pixels, images that follow one
// another from piece_first on; labels, order: [images]; normalisation: [channels] of (scale, shift);
// x: [batch, pixels]; batch_labels: [batch].
// One invocation turns one word of one row into four floats. Rows whose image lies in another piece
// are left to that piece's dispatch; rows past `step.rows` are cleared by the first one.

struct Params {
    batch: u32,
    pixels: u32,
    plane: u32,
    stride: u32,
    piece_first: u32,
    piece_images: u32,
    next_images: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> piece: array<u32>;
@group(0) @binding(2) var<storage, read> next_piece: array<u32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read> order: array<u32>;
@group(0) @binding(5) var<storage, read> normalisation: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> x: array<f32>;
@group(0) @binding(7) var<storage, read_write> batch_labels: array<u32>;

const NO_LABEL = 0xffffffffu;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + lane;
    let row = i / params.stride;
    let word = i % params.stride;
    if row >= params.batch {
        return;
    }
    let padding = row >= step.rows;
    var index = params.piece_first;
    if !padding {
        index = order[step.first + row];
    }
    // Below the piece's first image this wraps around to a large number.
    let within = index - params.piece_first;
    let held = params.piece_images + params.next_images;
    if within >= held || (padding && params.piece_first > 0u) {
        return;
    }
    if word == 0u {
        batch_labels[row] = select(labels[index], NO_LABEL, padding);
    }
    var bytes = 0u;
    if within < params.piece_images {
        bytes = piece[within * params.stride + word];
    } else {
        bytes = next_piece[(within - params.piece_images) * params.stride + word];
    }
    for (var byte = 0u; byte < 4u; byte++) {
        let pixel = word * 4u + byte;
        if pixel < params.pixels {
            let factors = normalisation[pixel / params.plane];
            let value = f32((bytes >> (8u * byte)) & 255u) * factors.x + factors.y;
            x[row * params.pixels + pixel] = select(value, 0.0, padding);
        }
    }
}
