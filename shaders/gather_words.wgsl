// Gather as in gather.wgsl, for images whose channels are whole words: the four pixels of a word
// have one channel and are written as one vec4.
//
// piece: [piece_images, stride] words of four pixels; labels, order: [images];
// normalisation: [channels] of (scale, shift); x: [batch, stride] of vec4; batch_labels: [batch].
// One invocation turns one word of one row into four floats. Rows whose image lies in another piece
// are left to that piece's dispatch; rows past `step.rows` are cleared by the first one.

struct Params {
    batch: u32,
    pixels: u32,
    plane: u32,
    stride: u32,
    piece_first: u32,
    piece_images: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> piece: array<u32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> normalisation: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> batch_labels: array<u32>;

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
    if within >= params.piece_images || (padding && params.piece_first > 0u) {
        return;
    }
    if word == 0u {
        batch_labels[row] = select(labels[index], NO_LABEL, padding);
    }
    let bytes = (vec4(piece[within * params.stride + word]) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u);
    let factors = normalisation[4u * word / params.plane];
    x[i] = select(vec4<f32>(bytes) * factors.x + factors.y, vec4(0.0), padding);
}
