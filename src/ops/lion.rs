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
    /// How much of the mean a step takes, and how much of it is kept; each from 0 to below 1.
    pub betas: [f32; 2],
    /// Its learning rate.
    pub rate: Rate,
    /// Factor of the parameter that is added to its gradient.
    pub coupled: f32,
    /// Share of the parameter, times the learning rate, that is taken from it.
    pub decoupled: f32,
}

/// Records the update of `update.parameter` by its gradient `dw`, of the same shape.
pub fn step(plan: &mut Plan, update: Update, dw: Tensor) {
    let shape = update.parameter.shape();
    for (name, tensor) in [("parameter", update.parameter), ("mean", update.mean), ("dw", dw)] {
        tensor.expect(name, Element::F32, shape);
    }
    plan.record(Lion { update, dw });
}

#[derive(Debug)]
struct Lion {
    update: Update,
    dw: Tensor,
}

uniform! {
    struct Params {
        /// Number of elements.
        length: u32,
        beta1: f32,
        beta2: f32,
        rate: f32,
        until: f32,
        coupled: f32,
        decoupled: f32,
    }
}

const WORKGROUP: u32 = 256;

static KERNEL: Kernel = Kernel {
    name: Cow::Borrowed("lion"),
    source: shader!("step.wgsl", "learning_rate.wgsl", "lion.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("dw"), write("w"), write("m")]),
    reads_step: true,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    vec![KERNEL.clone()]
}

/// -1, 0 or 1; `f32::signum` has no 0.
fn sign(value: f32) -> f32 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

impl Op for Lion {
    fn name(&self) -> &'static str {
        "lion"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.dw], &[]).updating([self.update.parameter, self.update.mean])
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let Update { parameter, mean, betas: [beta1, beta2], rate, coupled, decoupled } = self.update;
        let rate = rate.at(step);
        let dw = memory.f32(self.dw);
        let (mut w, mut m) = (memory.f32_mut(parameter), memory.f32_mut(mean));
        let parts = w
            .par_chunks_mut(super::ELEMENTS_PER_TASK)
            .zip(m.par_chunks_mut(super::ELEMENTS_PER_TASK))
            .zip(dw.par_chunks(super::ELEMENTS_PER_TASK));
        parts.for_each(|((w, m), dw)| {
            for ((w, m), &dw) in w.iter_mut().zip(m).zip(dw) {
                let g = dw + coupled * *w;
                *w -= rate * (sign(beta1 * *m + (1.0 - beta1) * g) + decoupled * *w);
                *m = beta2 * *m + (1.0 - beta2) * g;
            }
        });
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let Update { parameter, mean, betas: [beta1, beta2], rate, coupled, decoupled } = self.update;
        let length = self.dw.len();
        let (rate, until) = rate.params();
        let params = Params { length: length as u32, beta1, beta2, rate, until, coupled, decoupled };
        vec![Dispatch::new(&KERNEL, params, &[self.dw, parameter, mean], fold(length, WORKGROUP), 0)]
    }
}
