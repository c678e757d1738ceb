// kernel silu = stored_f32 log_sum_exp logistic activation_params silu activation elementwise
// kernel silu_backward = stored_f32 log_sum_exp logistic activation_params silu activation_backward elementwise
// silu(x) = x logistic(x). Comes after logistic.wgsl, and before activation.wgsl or
// activation_backward.wgsl.

fn activation(x: f32) -> f32 {
    return x * logistic(x);
}

fn activation_slope(x: f32) -> f32 {
    return logistic(x) + x * logistic_slope(x);
}
