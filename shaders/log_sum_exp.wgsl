// Shared by kernels that compute a softmax; comes before their text.

// a - b for a <= b, clamped to finite numbers; NaN stays NaN.
fn difference(a: f32, b: f32) -> f32 {
    let half = 0.5 * a - 0.5 * b;
    return 2.0 * select(half, -1.7e38, half < -1.7e38);
}

// exp(x) for x <= 0. The range is reduced explicitly, with log(2) in two parts: the built-in exp
// may have an error of 2 |x| units in the last place.
fn exponential(x: f32) -> f32 {
    let n = max(round(max(x, -200.0) * 1.44269504), -126.0);
    let r = (x - n * 0.693145752) - n * 1.42860677e-6;
    // Where n was clamped, r is far below zero and the result is correct. NaN stays NaN.
    return exp(r) * bitcast<f32>(u32(i32(n) + 127) << 23u);
}

// log(1 + x) for x >= 0, without losing a small x in the sum:
// log(1 + x) = 2 atanh(t), t = x / (2 + x).
fn log_of_one_plus(x: f32) -> f32 {
    let t = x / (2.0 + x);
    let t2 = t * t;
    let series = 2.0 * t * (1.0 + t2 * (0.33333334 + t2 * (0.2 + t2 * (0.14285715 + t2 * 0.11111111))));
    return select(log(1.0 + x), series, x < 0.5);
}
