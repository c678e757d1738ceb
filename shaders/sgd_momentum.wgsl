// kernel sgd_momentum = step learning_rate sgd_params sgd_momentum elementwise
// g = dw + decay w;  v = momentum v + g;  w = w - lr v, or w - lr (g + momentum v) for Nesterov,
// where lr follows from rate and until.
//
// dw, w, v: [length]. One invocation updates one element.

@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read_write> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;

fn element(i: u32) {
    let old = w[i];
    let g = dw[i] + params.decay * old;
    let velocity = params.momentum * v[i] + g;
    v[i] = velocity;
    let direction = select(velocity, g + params.momentum * velocity, params.nesterov == 1u);
    w[i] = old - learning_rate(params.rate, params.until) * direction;
}
