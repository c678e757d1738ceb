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
//! where lr is the parameter's [`Rate`]. What depends on t is in the [`StepRecord`]: the host computes it in float64 (see [`correct`]).

use std::borrow::Cow;

use rayon::prelude::*;

use super::Rate;
use crate::kernel::{Dispatch, GpuFacts, Kernel, Uniform, fold, read, shader, uniform, write};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
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

/// Adds to `record` what makes up for means that start as zeros, for the `step`-th step, counted from 0.
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
    let shape = update.parameter.shape();
    for (name, tensor) in
        [("parameter", update.parameter), ("mean", update.mean), ("square", update.square), ("dw", dw)]
    {
        tensor.expect(name, Element::F32, shape);
    }
    plan.record(Adam { update, dw });
}

#[derive(Debug)]
struct Adam {
    update: Update,
    dw: Tensor,
}

uniform! {
    struct Params {
        /// Number of elements.
        length: u32,
        beta1: f32,
        beta2: f32,
        epsilon: f32,
        rate: f32,
        until: f32,
        coupled: f32,
        decoupled: f32,
    }
}

const WORKGROUP: u32 = 256;

static KERNEL: Kernel = Kernel {
    name: Cow::Borrowed("adam"),
    source: shader!("step.wgsl", "learning_rate.wgsl", "adam.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("dw"), write("w"), write("m"), write("s")]),
    reads_step: true,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    vec![KERNEL.clone()]
}

impl Op for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn operands(&self) -> Operands {
        let Update { parameter, mean, square, .. } = self.update;
        Operands::new(&[self.dw], &[]).updating([parameter, mean, square])
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let Update { parameter, mean, square, betas: [beta1, beta2], epsilon, rate, coupled, decoupled } =
            self.update;
        let (rate, mean_scale, root_scale) = (rate.at(step), step.mean_scale, step.root_scale);
        let dw = memory.f32(self.dw);
        let (mut w, mut m, mut s) = (memory.f32_mut(parameter), memory.f32_mut(mean), memory.f32_mut(square));
        let parts = w
            .par_chunks_mut(super::ELEMENTS_PER_TASK)
            .zip(m.par_chunks_mut(super::ELEMENTS_PER_TASK))
            .zip(s.par_chunks_mut(super::ELEMENTS_PER_TASK))
            .zip(dw.par_chunks(super::ELEMENTS_PER_TASK));
        parts.for_each(|(((w, m), s), dw)| {
            for (((w, m), s), &dw) in w.iter_mut().zip(m).zip(s).zip(dw) {
                let g = dw + coupled * *w;
                *m += (1.0 - beta1) * (g - *m);
                *s = beta2 * *s + (1.0 - beta2) * g * g;
                *w -= rate * (decoupled * *w + mean_scale * *m / (s.sqrt() * root_scale + epsilon));
            }
        });
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let Update { parameter, mean, square, betas: [beta1, beta2], epsilon, rate, coupled, decoupled } =
            self.update;
        let length = self.dw.len();
        let (rate, until) = rate.params();
        let params = Params { length: length as u32, beta1, beta2, epsilon, rate, until, coupled, decoupled };
        let tensors = [self.dw, parameter, mean, square];
        vec![Dispatch::new(&KERNEL, params, &tensors, fold(length, WORKGROUP), 0)]
    }
}
