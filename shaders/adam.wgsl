// kernel adam = step learning_rate adam elementwise
// g = dw + coupled w;  m = m + (1 - beta1) (g - m);  s = beta2 s + (1 - beta2) g^2
// w = w - lr (decoupled w + mean_scale m / (root_scale sqrt(s) + epsilon))
//
// dw, w, m, s: [length]. One invocation updates one element.

struct Params {
    // Number of elements.
    length: u32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    rate: f32,
    until: f32,
    coupled: f32,
    decoupled: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read_write> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> m: array<f32>;
@group(0) @binding(4) var<storage, read_write> s: array<f32>;

fn element(i: u32) {
    let old = w[i];
    let g = dw[i] + params.coupled * old;
    let mean = m[i] + (1.0 - params.beta1) * (g - m[i]);
    let square = params.beta2 * s[i] + (1.0 - params.beta2) * g * g;
    m[i] = mean;
    s[i] = square;
    let direction = step.mean_scale * mean / (sqrt(square) * step.root_scale + params.epsilon);
    w[i] = old - learning_rate(params.rate, params.until) * (params.decoupled * old + direction);
}
