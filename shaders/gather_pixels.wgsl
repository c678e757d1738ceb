// kernel gather_pixels = step gather_rows gather_params gather_pixels
// Gather without normalisation: the pixels of the batch, for products that normalise as they read.
// As in gather_vectors.wgsl, the channels of an image are whole vectors of sixteen pixels.
//
// piece, next_piece: [piece_images, stride] and [next_images, stride] vectors of sixteen pixels; x:
// [batch, stride] of such vectors; the rest is in gather_rows.wgsl. One invocation copies one
// vector of one row. Rows whose image is in another piece are left to that piece's dispatch; in the
// first dispatch, rows past `step.rows` get an image without a label.

@group(0) @binding(1) var<storage, read> piece: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> next_piece: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> x: array<vec4<u32>>;

fn copy(row: u32, vector: u32, found: Row, groups: vec3<u32>) {
    if found.within < params.piece_images {
        x[row * params.stride + vector] = piece[found.within * params.stride + vector];
    } else {
        x[row * params.stride + vector] = next_piece[(found.within - params.piece_images) * params.stride + vector];
    }
}
