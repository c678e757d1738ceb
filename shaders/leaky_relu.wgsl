// kernel leaky_relu = stored_f32 activation_params leaky_relu activation elementwise
// kernel leaky_relu_backward = stored_f32 activation_params leaky_relu activation_backward elementwise
// y = rise x, or slope x where x is negative; it stands in front of activation.wgsl or
// activation_backward.wgsl.

fn activation(x: f32) -> f32 {
    return select(params.rise * x, params.slope * x, x < 0.0);
}

fn activation_slope(x: f32) -> f32 {
    return select(params.slope, params.rise, x > 0.0);
}
