// The learning rate of a parameter: `rate` times the step's learning rate, or, if `until` is
// positive, a rate of its own that falls linearly from `rate` to 0 in `until` steps and stays
// there.
fn learning_rate(rate: f32, until: f32) -> f32 {
    if until > 0.0 {
        return rate * max(1.0 - f32(step.step) / until, 0.0);
    }
    return rate * step.learning_rate;
}
