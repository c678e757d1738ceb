// kernel leaky_relu = stored_f32 activation_params leaky_relu activation elementwise
// kernel leaky_relu_backward = stored_f32 activation_params leaky_relu activation_backward elementwise
// leaky_relu(x) = x, or slope x if x is negative. Comes before activation.wgsl or
// activation_backward.wgsl. The slope is `params.argument`.

fn activation(x: f32) -> f32 {
    return select(x, params.argument * x, x < 0.0);
}

fn activation_slope(x: f32) -> f32 {
    return select(params.argument, 1.0, x > 0.0);
}
