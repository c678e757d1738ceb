// What gradients are multiplied by that are kept in 16 bits: see src/plan/scale.rs.
fn gradient_scale() -> f32 {
    return select(1.0, 128.0 * f32(step.rows), IN_HALF);
}
