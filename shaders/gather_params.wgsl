// Parameters of the kernels that keep the pixels of an image in order: gather.wgsl,
// gather_vectors.wgsl and gather_pixels.wgsl. An invocation moves a word of four pixels, or a
// vector of sixteen.

struct Params {
    // Rows of the batch.
    batch: u32,
    // Words of four bytes, or vectors of sixteen, from one image to the next.
    stride: u32,
    // Index of the piece's first image.
    piece_first: u32,
    // Images in the piece, and in the one after it.
    piece_images: u32,
    next_images: u32,
    // Pixels of an image.
    pixels: u32,
    // Pixels of one channel.
    plane: u32,
}

fn across() -> u32 {
    return params.stride;
}
