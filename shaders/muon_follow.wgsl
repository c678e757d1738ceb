// kernel muon_follow = step learning_rate muon_follow elementwise
// w = factor w - lr x, where lr follows from rate and until
//
// w, x: [length], factors: [2]; the second is that of w. One invocation updates one element.

struct Params {
    // Number of elements.
    length: u32,
    rate: f32,
    until: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read_write> w: array<f32>;

fn element(i: u32) {
    w[i] = factors[1] * w[i] - learning_rate(params.rate, params.until) * x[i];
}
