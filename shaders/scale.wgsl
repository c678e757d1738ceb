// kernel scale = stored_f32 activation_params scale activation elementwise
// kernel scale_backward = stored_f32 activation_params scale activation_backward elementwise
// scale(x) = factor x. Comes before activation.wgsl or activation_backward.wgsl. The factor is
// `params.argument`.

fn activation(x: f32) -> f32 {
    return params.argument * x;
}

fn activation_slope(x: f32) -> f32 {
    return params.argument;
}
