// kernel hardswish = stored_f32 activation_params hardswish activation elementwise
// kernel hardswish_backward = stored_f32 activation_params hardswish activation_backward elementwise
// hardswish(x) = 0 for x <= -3, x for x >= 3, else x (x + 3) / 6. Comes before activation.wgsl
// or activation_backward.wgsl. NaN fails both comparisons, so it stays NaN.

fn activation(x: f32) -> f32 {
    let middle = x * (x + 3.0) / 6.0;
    return select(select(middle, 0.0, x <= -3.0), x, x >= 3.0);
}

fn activation_slope(x: f32) -> f32 {
    let middle = x / 3.0 + 0.5;
    return select(select(middle, 0.0, x <= -3.0), 1.0, x >= 3.0);
}
