// kernel gather_vectors = stored_f32 step gather_rows gather_params normalised gather_vectors
// Gather as in gather.wgsl, for images whose channels are whole vectors of sixteen pixels. All
// pixels of a vector have one channel, and are written as four vectors of floats.
//
// piece, next_piece: [piece_images, stride] and [next_images, stride] vectors of sixteen pixels; x:
// [batch, 4 stride] of vec4; the rest is in gather_rows.wgsl. One invocation converts one vector of
// one row into sixteen floats. Rows whose image is in another piece are left to that piece's
// dispatch; the first dispatch clears rows past `step.rows`.

@group(0) @binding(1) var<storage, read> piece: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> next_piece: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> x: array<vec4<Stored>>;

fn floats(word: u32, factors: vec2<f32>, is_padding: bool) -> vec4<Stored> {
    return vec4<Stored>(select(normalised(word, factors), vec4(0.0), is_padding));
}

fn copy(row: u32, vector: u32, found: Row, groups: vec3<u32>) {
    var words = vec4(0u);
    if found.within < params.piece_images {
        words = piece[found.within * params.stride + vector];
    } else {
        words = next_piece[(found.within - params.piece_images) * params.stride + vector];
    }
    let factors = normalisation[16u * vector / params.plane];
    let i = 4u * (row * params.stride + vector);
    x[i] = floats(words.x, factors, found.is_padding);
    x[i + 1u] = floats(words.y, factors, found.is_padding);
    x[i + 2u] = floats(words.z, factors, found.is_padding);
    x[i + 3u] = floats(words.w, factors, found.is_padding);
}
