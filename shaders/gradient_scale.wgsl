// The loss scale of f16 gradients: see src/plan/loss_scale.rs. A step of no rows, which only a
// tuner runs, must produce zeros, not infinities.
fn gradient_scale() -> f32 {
    return select(1.0, 128.0 * f32(max(step.rows, 1u)), IN_HALF);
}
