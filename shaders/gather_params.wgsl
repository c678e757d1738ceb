// Parameters of the kernels that keep the pixels of an image in order: gather.wgsl,
// gather_vectors.wgsl and gather_pixels.wgsl. An invocation moves a word of four pixels, or a
// vector of sixteen.

struct Params {
    batch: u32,
    stride: u32,
    piece_first: u32,
    piece_images: u32,
    next_images: u32,
    pixels: u32,
    plane: u32,
}

fn across() -> u32 {
    return params.stride;
}
