// The logistic function and its derivative. Comes after log_sum_exp.wgsl. Both use exp(-|x|),
// which cannot overflow. NaN stays NaN.

// 1 / (1 + exp(-x))
fn logistic(x: f32) -> f32 {
    let e = exponential(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// logistic(x) (1 - logistic(x)), without the difference, which would lose digits where x is large.
fn logistic_slope(x: f32) -> f32 {
    let e = exponential(-abs(x));
    return e / ((1.0 + e) * (1.0 + e));
}
