// y = rise x, or slope x if x is negative. Comes before activation.wgsl or
// activation_backward.wgsl.

fn activation(x: f32) -> f32 {
    return select(params.rise * x, params.slope * x, x < 0.0);
}

fn activation_slope(x: f32) -> f32 {
    return select(params.slope, params.rise, x > 0.0);
}
