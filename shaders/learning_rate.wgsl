// A parameter's learning rate: `rate` times the step's, or where `until` is above 0, one of its own, which falls from `rate`
// to 0 in so many steps and stays there.
fn learning_rate(rate: f32, until: f32) -> f32 {
    if until > 0.0 {
        return rate * max(1.0 - f32(step.step) / until, 0.0);
    }
    return rate * step.learning_rate;
}
