// kernel sgd = step learning_rate sgd_params sgd elementwise
// w = w - lr (dw + decay w), where lr follows from rate and until
//
// dw, w: [length]. One invocation updates one element.

@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read_write> w: array<f32>;

fn element(i: u32) {
    let old = w[i];
    w[i] = old - learning_rate(params.rate, params.until) * (dw[i] + params.decay * old);
}
