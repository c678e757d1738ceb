// The uniform of SGD, with and without momentum.

struct Params {
    // Number of elements.
    length: u32,
    rate: f32,
    until: f32,
    decay: f32,
    momentum: f32,
    // 1 for Nesterov's method.
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
