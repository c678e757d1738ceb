// The uniform of all activations.

struct Params {
    // Number of elements.
    length: u32,
    // Of a leaky ReLU, where x is negative.
    slope: f32,
    // Where it is not.
    rise: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
