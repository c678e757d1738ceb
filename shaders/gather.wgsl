// kernel gather = stored_f32 step gather_rows gather_params gather
// x[row, p] = scale[c] image[order[first + row], p] + shift[c], c = p / plane
// batch_labels[row] = labels[order[first + row]]
//
// piece, next_piece: [piece_images, stride] and [next_images, stride] words of four pixels, two
// consecutive pieces that begin with image piece_first; x: [batch, pixels]; the rest is in
// gather_rows.wgsl. One invocation converts one word of one row into four floats. Rows whose image
// is in another piece are left to that piece's dispatch; the first dispatch clears rows past
// `step.rows`.

@group(0) @binding(1) var<storage, read> piece: array<u32>;
@group(0) @binding(2) var<storage, read> next_piece: array<u32>;
@group(0) @binding(6) var<storage, read_write> x: array<Stored>;

fn copy(row: u32, word: u32, found: Row, groups: vec3<u32>) {
    var bytes = 0u;
    if found.within < params.piece_images {
        bytes = piece[found.within * params.stride + word];
    } else {
        bytes = next_piece[(found.within - params.piece_images) * params.stride + word];
    }
    for (var byte = 0u; byte < 4u; byte++) {
        let pixel = word * 4u + byte;
        if pixel < params.pixels {
            let factors = normalisation[pixel / params.plane];
            let value = f32((bytes >> (8u * byte)) & 255u) * factors.x + factors.y;
            x[row * params.pixels + pixel] = Stored(select(value, 0.0, found.is_padding));
        }
    }
}
