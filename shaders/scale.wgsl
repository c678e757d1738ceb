// kernel scale = stored_f32 activation_params scale activation elementwise
// kernel scale_backward = stored_f32 activation_params scale activation_backward elementwise
// scale(x) = factor x; activation.wgsl or activation_backward.wgsl stands behind it. The factor is
// `params.argument`.

fn activation(x: f32) -> f32 {
    return params.argument * x;
}

fn activation_slope(x: f32) -> f32 {
    return params.argument;
}
