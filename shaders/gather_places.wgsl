// kernel gather_places = stored_f32 loop_bound philox step gather_rows augmentation gather_places
// x[row, c, place] = scale[c] image[c, source(place)] + shift[c], 0 in a masked square;
// image = images[order[first + row]]
// batch_labels[row] = labels[order[first + row]]
//
// piece, next_piece: [piece_images, stride] and [next_images, stride] words of four pixels, two
// consecutive pieces that begin with image piece_first, each image [channels, plane]; x: [batch,
// channels, plane] or [batch, plane, channels], depending on the strides of channels and places;
// the rest is in gather_rows.wgsl and augmentation.wgsl. One invocation writes all channels of
// eight places, which are as far apart as a row has invocations, so that neighbours read and write
// side by side. Rows whose image is in another piece are left to that piece's dispatch; the first
// dispatch clears rows past `step.rows`.

struct Params {
    batch: u32,
    stride: u32,
    piece_first: u32,
    piece_images: u32,
    next_images: u32,
    channels: u32,
    height: u32,
    width: u32,
    // Invocations of a row.
    across: u32,
    // Floats from one channel to the next, and from one place to the next.
    channel_step: u32,
    place_step: u32,
    // Whether the image is augmented, and how.
    augments: u32,
    seed_low: u32,
    seed_high: u32,
    flip: u32,
    crop: u32,
    cutout: u32,
}

@group(0) @binding(1) var<storage, read> piece: array<u32>;
@group(0) @binding(2) var<storage, read> next_piece: array<u32>;
@group(0) @binding(6) var<storage, read_write> x: array<Stored>;

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
    let plane = params.height * params.width;
    let channels = loop_bound(params.channels, groups);
    var change = Change();
    if params.augments == 1u {
        change = change_of(found.index, step.epoch);
    }
    for (var turn = 0u; turn < PLACES; turn++) {
        let place = first + turn * params.across;
        if place < plane {
            var source = Source(place, false);
            if params.augments == 1u {
                source = source_of(change, place);
            }
            let is_empty = found.is_padding | source.is_hole;
            for (var channel = 0u; channel < channels; channel++) {
                let factors = normalisation[channel];
                let value = pixel(found, channel * plane + source.place) * factors.x + factors.y;
                let i = row * channels * plane + channel * params.channel_step + place * params.place_step;
                x[i] = Stored(select(value, 0.0, is_empty));
            }
        }
    }
}
