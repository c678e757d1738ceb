// kernel sigmoid = stored_f32 log_sum_exp logistic activation_params sigmoid activation elementwise
// kernel sigmoid_backward = stored_f32 log_sum_exp logistic activation_params sigmoid activation_backward elementwise
// sigmoid(x) = 1 / (1 + exp(-x)). Comes after logistic.wgsl, and before activation.wgsl or
// activation_backward.wgsl.

fn activation(x: f32) -> f32 {
    return logistic(x);
}

fn activation_slope(x: f32) -> f32 {
    return logistic_slope(x);
}
