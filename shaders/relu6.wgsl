// kernel relu6 = stored_f32 activation_params relu6 activation elementwise
// kernel relu6_backward = stored_f32 activation_params relu6 activation_backward elementwise
// relu6(x) = min(max(x, 0), 6). Comes before activation.wgsl or activation_backward.wgsl. NaN
// passes through: `select`, not `clamp`, which may drop it.

fn activation(x: f32) -> f32 {
    return select(select(x, 0.0, x < 0.0), 6.0, x > 6.0);
}

fn activation_slope(x: f32) -> f32 {
    return select(0.0, 1.0, x > 0.0 && x < 6.0);
}
