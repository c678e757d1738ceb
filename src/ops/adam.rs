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
//! where lr is the parameter's [`Rate`]. What depends on t is in the [`StepRecord`]: the host
//! computes it in float64 (see [`correct`]).

use super::Rate;
use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, AdamParams};
use crate::plan::{Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// How one parameter follows its gradient.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// What is trained.
    pub parameter: Tensor,
    /// The running mean of gradients: the parameter's shape, zeros at first.
    pub mean: Tensor,
    /// The running mean of their squares: the same.
    pub square: Tensor,
    /// How much of the two means is kept in a step, each from 0 to below 1.
    pub betas: [f32; 2],
    /// What is added to the root of the mean square.
    pub epsilon: f32,
    /// Its learning rate.
    pub rate: Rate,
    /// Factor of the parameter that is added to its gradient.
    pub coupled: f32,
    /// Share of the parameter, times the learning rate, that is taken from it.
    pub decoupled: f32,
}

/// Adds to `record` what makes up for means that start as zeros, for the `step`-th step, counted
/// from 0.
pub fn correct(record: StepRecord, betas: [f32; 2], step: usize) -> StepRecord {
    let missing = betas.map(|beta| 1.0 - f64::from(beta).powf(step as f64 + 1.0));
    StepRecord {
        mean_scale: missing[0].recip() as f32,
        root_scale: missing[1].sqrt().recip() as f32,
        ..record
    }
}

/// Records the update of `update.parameter` by its gradient `dw`, of the same shape.
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
