// kernel lion = step learning_rate lion elementwise
// g = dw + coupled w;  w = w - lr (sign(beta1 m + (1 - beta1) g) + decoupled w)
// m = beta2 m + (1 - beta2) g
//
// dw, w, m: [length]. One invocation updates one element.

struct Params {
    // Number of elements.
    length: u32,
    beta1: f32,
    beta2: f32,
    rate: f32,
    until: f32,
    coupled: f32,
    decoupled: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read_write> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> m: array<f32>;

fn element(i: u32) {
    let old = w[i];
    let g = dw[i] + params.coupled * old;
    let direction = sign(params.beta1 * m[i] + (1.0 - params.beta1) * g);
    w[i] = old - learning_rate(params.rate, params.until) * (direction + params.decoupled * old);
    m[i] = params.beta2 * m[i] + (1.0 - params.beta2) * g;
}
