// x[row, place, c] = scale[c] image[order[first + row], c, place] + shift[c]
// batch_labels[row] = labels[order[first + row]]
//
// piece, next_piece: [piece_images, stride] and [next_images, stride] words of four pixels, images that follow one
// another from piece_first on, each [channels, plane]; x: [batch, plane, channels]; the rest is in gather_rows.wgsl.
// One invocation writes all channels of eight places, as far apart as a row has invocations, so that neighbours
// read and write side by side. Rows whose image lies in another piece are left to that piece's dispatch; rows past
// `step.rows` are cleared by the first one.

struct Params {
    batch: u32,
    stride: u32,
    piece_first: u32,
    piece_images: u32,
    next_images: u32,
    channels: u32,
    plane: u32,
    across: u32,
}

@group(0) @binding(1) var<storage, read> piece: array<u32>;
@group(0) @binding(2) var<storage, read> next_piece: array<u32>;
@group(0) @binding(6) var<storage, read_write> x: array<f32>;

const PLACES = 8u;

fn across() -> u32 {
    return params.across;
}

fn pixel(found: Row, index: u32) -> f32 {
    var word = 0u;
    if found.within < params.piece_images {
        word = piece[found.within * params.stride + index / 4u];
    } else {
        word = next_piece[(found.within - params.piece_images) * params.stride + index / 4u];
    }
    return f32((word >> (8u * (index % 4u))) & 255u);
}

fn copy(row: u32, first: u32, found: Row, groups: vec3<u32>) {
    let channels = loop_bound(params.channels, groups);
    for (var turn = 0u; turn < PLACES; turn++) {
        let place = first + turn * params.across;
        if place < params.plane {
            for (var channel = 0u; channel < channels; channel++) {
                let factors = normalisation[channel];
                let value = pixel(found, channel * params.plane + place) * factors.x + factors.y;
                let i = (row * params.plane + place) * params.channels + channel;
                x[i] = select(value, 0.0, found.is_padding);
            }
        }
    }
}
