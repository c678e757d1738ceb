// Parameters of all batch norm kernels. A map [batch, height, width, channels] is a matrix
// [rows, channels] here, with `cells` rows per image.

struct Params {
    rows: u32,
    // Rows of one image.
    cells: u32,
    channels: u32,
    parts: u32,
    epsilon: f32,
    // Weight of a step's statistics in the running ones.
    momentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
