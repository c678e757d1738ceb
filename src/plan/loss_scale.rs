//! Loss scaling: keeps small gradients from becoming zero in f16 (Micikevicius et al., "Mixed
//! precision training", 2018, section 3.2).
//!
//! A gradient in an [`Element::F16`] tensor is not that of the batch's mean loss, but [`SCALE`]
//! times that of its sum. Gradients then have the same magnitude for any batch size, including a
//! smaller last batch of an epoch. The gradient of the logits is kept in f32 without a scale. A
//! product that turns an f32 gradient into an f16 one multiplies by the scale; an op that computes
//! the f32 gradient of a parameter from f16 gradients divides by it.

use super::step_record::StepRecord;
use crate::tensor::{Element, Tensor};

/// Scale of the loss of one image: gradients below 2^-31 of it become zero, and gradients above 2^8
/// become infinite, which the run reports as divergence.
const SCALE: f32 = 128.0;

impl StepRecord {
    /// The factor that the gradient in this tensor is scaled by. It is never zero, because ops
    /// divide by it.
    pub fn gradient_scale(&self, gradient: Tensor) -> f32 {
        if gradient.element() == Element::F16 { SCALE * self.rows.max(1) as f32 } else { 1.0 }
    }
}
