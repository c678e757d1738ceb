// kernel tanh = stored_f32 log_sum_exp logistic activation_params tanh activation elementwise
// kernel tanh_backward = stored_f32 log_sum_exp logistic activation_params tanh activation_backward elementwise
// tanh(x). Comes after logistic.wgsl, and before activation.wgsl or activation_backward.wgsl.
//
// The built-in tanh of some drivers is NaN for large x. Near zero, where 1 - exp(-2 |x|) would lose
// digits, Lambert's continued fraction x / (1 + x^2 / (3 + x^2 / (5 + x^2 / (7 + x^2 / 9)))) is
// used, whose relative error is below 1e-9 there.

fn activation(x: f32) -> f32 {
    let x2 = x * x;
    let near = x * ((945.0 + x2 * (105.0 + x2)) / (945.0 + x2 * (420.0 + 15.0 * x2)));
    let e = exponential(-2.0 * abs(x));
    let far = (1.0 - e) / (1.0 + e);
    return select(select(far, -far, x < 0.0), near, abs(x) < 0.6);
}

fn activation_slope(x: f32) -> f32 {
    return 4.0 * logistic_slope(2.0 * x);
}
