// What gradients are multiplied by that are kept in 16 bits: see src/plan/scale.rs. A step of no rows, which only a tuner
// runs, must leave zeros behind, not infinities.
fn gradient_scale() -> f32 {
    return select(1.0, 128.0 * f32(max(step.rows, 1u)), IN_HALF);
}
