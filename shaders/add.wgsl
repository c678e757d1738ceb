// kernel add = stored_f32 add elementwise
// y = alpha a + beta b
//
// a, b, y: [length]. One invocation computes one element.

struct Params {
    // Number of elements.
    length: u32,
    alpha: f32,
    beta: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Stored>;
@group(0) @binding(2) var<storage, read> b: array<Stored>;
@group(0) @binding(3) var<storage, read_write> y: array<Stored>;

fn element(i: u32) {
    y[i] = Stored(params.alpha * f32(a[i]) + params.beta * f32(b[i]));
}
