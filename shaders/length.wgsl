// The uniform of kernels that only need a length.

struct Params {
    // Number of elements.
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
