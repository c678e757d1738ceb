//! Adam (Kingma and Ba 2015, algorithm 1) and AdamW (Loshchilov and Hutter 2019, algorithm 2), with
//! PyTorch's definitions (`torch.optim.Adam`, `torch.optim.AdamW`). In step t, counted from 1:
//!
//! ```text
//! g = dw + coupled w                               (Adam's weight decay)
//! m = m + (1 - beta1) (g - m)                      (m and s start as zeros)
//! s = beta2 s + (1 - beta2) g^2
//! w = (1 - lr decoupled) w                         (AdamW's)
//!   - lr m / (1 - beta1^t) / (sqrt(s / (1 - beta2^t)) + epsilon)
//! ```
//!
//! where lr is the parameter's [`Rate`]. The factors that depend on t are in the [`StepRecord`];
//! the host computes them in float64 (see [`correct`]).

use super::Rate;
use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, AdamParams};
use crate::plan::{Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// One parameter with its optimizer state and settings.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// The parameter.
    pub parameter: Tensor,
    /// The first moment (mean of gradients): the parameter's shape, initially zeros.
    pub mean: Tensor,
    /// The second moment (mean of squared gradients): likewise.
    pub square: Tensor,
    /// Decay rates of the two moments, each at least 0 and below 1.
    pub betas: [f32; 2],
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Its learning rate.
    pub rate: Rate,
    /// Coupled weight decay: this factor of the parameter is added to its gradient.
    pub coupled: f32,
    /// Decoupled weight decay: this factor of the parameter, times the learning rate, is subtracted
    /// from it.
    pub decoupled: f32,
}

/// Adds to `record` the bias corrections of the moments, which start as zeros, for the `step`-th
/// step, counted from 0.
pub fn correct(record: StepRecord, betas: [f32; 2], step: usize) -> StepRecord {
    let missing = betas.map(|beta| 1.0 - f64::from(beta).powf(step as f64 + 1.0));
    StepRecord {
        mean_scale: missing[0].recip() as f32,
        root_scale: missing[1].sqrt().recip() as f32,
        ..record
    }
}

/// Records the update of `update.parameter` with its gradient `dw`, of the same shape.
pub fn step(plan: &mut Plan, update: Update, dw: Tensor) {
    let Update { parameter, mean, square, betas: [beta1, beta2], epsilon, rate, coupled, decoupled } = update;
    for (name, tensor) in [("parameter", parameter), ("mean", mean), ("square", square), ("dw", dw)] {
        tensor.expect(name, Element::F32, parameter.shape());
    }
    let (factor, until) = rate.params();
    let length = dw.len() as u32;
    let params = AdamParams { length, beta1, beta2, epsilon, rate: factor, until, coupled, decoupled };
    let outputs = [parameter, mean, square];
    Elementwise { name: "adam", kernel: &shaders::ADAM, params, reads: [dw], outputs }.record_update(
        plan,
        move |elements, [dw], [w, m, s]| {
            let StepRecord { mean_scale, root_scale, .. } = *elements.step;
            let rate = rate.at(elements.step);
            for (((w, m), s), &dw) in w.iter_mut().zip(m).zip(s).zip(dw) {
                let g = dw + coupled * *w;
                *m += (1.0 - beta1) * (g - *m);
                *s = beta2 * *s + (1.0 - beta2) * g * g;
                *w -= rate * (decoupled * *w + mean_scale * *m / (s.sqrt() * root_scale + epsilon));
            }
        },
    );
}
