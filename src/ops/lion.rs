//! Lion (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2):
//!
//! ```text
//! g = dw + coupled w
//! c = beta1 m + (1 - beta1) g                      (m starts as zeros)
//! w = w - lr (sign(c) + decoupled w)               (sign(0) = 0)
//! m = beta2 m + (1 - beta2) g
//! ```
//!
//! The weight decay is decoupled, as in the paper; `coupled` is for the gradient of an L2 penalty.

use super::Rate;
use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, LionParams};
use crate::plan::Plan;
use crate::tensor::{Element, Tensor};

/// One parameter with its optimizer state and settings.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// The parameter.
    pub parameter: Tensor,
    /// The momentum (mean of gradients): the parameter's shape, initially zeros.
    pub mean: Tensor,
    /// Decay rates of the momentum: for the update, and for the stored momentum. Each is at least 0
    /// and below 1.
    pub betas: [f32; 2],
    /// Its learning rate.
    pub rate: Rate,
    /// Coupled weight decay: this factor of the parameter is added to its gradient.
    pub coupled: f32,
    /// Decoupled weight decay: this factor of the parameter, times the learning rate, is subtracted
    /// from it.
    pub decoupled: f32,
}

/// Records the update of `update.parameter` with its gradient `dw`, of the same shape.
pub fn step(plan: &mut Plan, update: Update, dw: Tensor) {
    let Update { parameter, mean, betas: [beta1, beta2], rate, coupled, decoupled } = update;
    for (name, tensor) in [("parameter", parameter), ("mean", mean), ("dw", dw)] {
        tensor.expect(name, Element::F32, parameter.shape());
    }
    let (factor, until) = rate.params();
    let length = dw.len() as u32;
    let params = LionParams { length, beta1, beta2, rate: factor, until, coupled, decoupled };
    let outputs = [parameter, mean];
    Elementwise { name: "lion", kernel: &shaders::LION, params, reads: [dw], outputs }.record_update(
        plan,
        move |elements, [dw], [w, m]| {
            let rate = rate.at(elements.step);
            for ((w, m), &dw) in w.iter_mut().zip(m).zip(dw) {
                let g = dw + coupled * *w;
                *w -= rate * (sign(beta1 * *m + (1.0 - beta1) * g) + decoupled * *w);
                *m = beta2 * *m + (1.0 - beta2) * g;
            }
        },
    );
}

/// The sign: -1, 0 or 1. `f32::signum` never returns 0.
fn sign(value: f32) -> f32 {
    if value == 0.0 { 0.0 } else { value.signum() }
}
