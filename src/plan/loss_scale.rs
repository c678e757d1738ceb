//! What keeps small gradients from becoming zeros in 16 bits (Micikevicius et al., "Mixed precision training", 2018, section
//! 3.2: loss scaling).
//!
//! A gradient in an [`Element::Half`] tensor is not that of the batch's mean loss, but that of [`SCALE`] times its sum: a
//! batch of any size then has gradients of one size, also the last one of an epoch, which may be smaller. The gradient of
//! the logits is kept in 32 bits, and is plain. Where a product turns a gradient of 32 bits into one of 16, it is
//! multiplied, and where ops make a parameter's gradient, in 32 bits, of one in 16, it is divided.

use super::step_record::StepRecord;
use crate::tensor::{Element, Tensor};

/// Of one image's loss: what is below 2^-31 of it becomes zero, what is above 2^8 becomes infinite, and the run is found to
/// diverge.
const SCALE: f32 = 128.0;

impl StepRecord {
    /// What the gradient that a tensor holds is multiplied by. Never zero: others divide by it.
    pub fn gradient_scale(&self, gradient: Tensor) -> f32 {
        if gradient.element() == Element::Half { SCALE * self.rows.max(1) as f32 } else { 1.0 }
    }
}
