// kernel gelu = stored_f32 log_sum_exp activation_params gelu activation elementwise
// kernel gelu_backward = stored_f32 log_sum_exp activation_params gelu activation_backward elementwise
// gelu(x) = x P(x), where P is the cumulative normal distribution. Comes after log_sum_exp.wgsl,
// and before activation.wgsl or activation_backward.wgsl. P is computed from the complementary
// error function, P(-|x|) = erfc(|x| / sqrt(2)) / 2, by Chebyshev approximation with a relative
// error below 1.2e-7 (Press et al., Numerical Recipes in C, 2nd edition, section 6.2). The Rust
// twin is in src/ops/activation/functions.rs.

fn normal_below(x: f32) -> f32 {
    let z = abs(x) * 0.70710678;
    let t = 1.0 / (1.0 + 0.5 * z);
    let low = -1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277));
    let middle = 0.09678418 + t * (-0.18628806 + t * (0.27886807 + t * low));
    let series = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * middle));
    let tail = 0.5 * t * exponential(-0.5 * x * x + series);
    return select(tail, 1.0 - tail, x > 0.0);
}

fn activation(x: f32) -> f32 {
    return x * normal_below(x);
}

// P(x) + x p(x), where p is the normal density.
fn activation_slope(x: f32) -> f32 {
    return normal_below(x) + x * 0.39894228 * exponential(-0.5 * x * x);
}
