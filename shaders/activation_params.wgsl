// The uniform of all activations.

struct Params {
    // Number of elements.
    length: u32,
    // The activation's argument, if it has one.
    argument: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
