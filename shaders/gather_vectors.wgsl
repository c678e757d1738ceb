// Gather as in gather.wgsl, for images whose channels are whole vectors of sixteen pixels: those of one
// vector have one channel, and are written as four vectors of floats.
//
// piece, next_piece: [piece_images, stride] and [next_images, stride] vectors of sixteen pixels; labels, order: [images];
// normalisation: [channels] of (scale, shift); x: [batch, 4 stride] of vec4; batch_labels: [batch].
// One invocation turns one vector of one row into sixteen floats. Rows whose image lies in another piece
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
@group(0) @binding(1) var<storage, read> piece: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> next_piece: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read> order: array<u32>;
@group(0) @binding(5) var<storage, read> normalisation: array<vec2<f32>>;
@group(0) @binding(6) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> batch_labels: array<u32>;

const NO_LABEL = 0xffffffffu;

// The four pixels of a word.
fn floats(word: u32, factors: vec2<f32>, padding: bool) -> vec4<f32> {
    let bytes = (vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u);
    return select(vec4<f32>(bytes) * factors.x + factors.y, vec4(0.0), padding);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + lane;
    let row = i / params.stride;
    let vector = i % params.stride;
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
    if vector == 0u {
        batch_labels[row] = select(labels[index], NO_LABEL, padding);
    }
    var words = vec4(0u);
    if within < params.piece_images {
        words = piece[within * params.stride + vector];
    } else {
        words = next_piece[(within - params.piece_images) * params.stride + vector];
    }
    let factors = normalisation[16u * vector / params.plane];
    x[4u * i] = floats(words.x, factors, padding);
    x[4u * i + 1u] = floats(words.y, factors, padding);
    x[4u * i + 2u] = floats(words.z, factors, padding);
    x[4u * i + 3u] = floats(words.w, factors, padding);
}
