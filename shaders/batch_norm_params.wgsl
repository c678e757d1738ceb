// What the kernels of batch normalisation share. A map [batch, height, width, channels] is a matrix
// [rows, channels] here, `cells` rows an image.

struct Params {
    rows: u32,
    // Rows of one image.
    cells: u32,
    channels: u32,
    parts: u32,
    epsilon: f32,
    // What a step's statistics count in the running ones.
    momentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
