//! Stochastic gradient descent, with PyTorch's definitions (`torch.optim.SGD`, dampening 0):
//!
//! ```text
//! g = dw + decay w
//! v = momentum v + g                      (v starts as zeros)
//! w = w - lr g                            without momentum
//! w = w - lr v                            with momentum
//! w = w - lr (g + momentum v)             Nesterov
//! ```
//!
//! Each parameter may have a learning rate of its own: lr is its [`Rate`].
//! `decay` is the optimizer's weight decay plus, for weights, the factor of the L2 penalty, whose
//! gradient is exactly `l2 w`. Where the gradient is a matrix product, the update runs as that
//! matmul's epilogue and `dw` never exists (see [`Epilogue::Update`](super::matmul::Epilogue)).

use std::borrow::Cow;

use super::Rate;
use crate::kernel::{Dispatch, GpuFacts, Kernel, Uniform, fold, read, shader, uniform, write};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// How one parameter follows its gradient.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// What is trained.
    pub parameter: Tensor,
    /// Its learning rate.
    pub rate: Rate,
    /// Factor of the parameter that is added to its gradient.
    pub decay: f32,
    /// The running mean of gradients, where there is one.
    pub momentum: Option<Momentum>,
}

/// The running mean of gradients.
#[derive(Clone, Copy, Debug)]
pub struct Momentum {
    /// Its state: the parameter's shape, zeros at first.
    pub velocity: Tensor,
    /// How much of it is kept in a step, from 0 to 1.
    pub factor: f32,
    /// Whether to look ahead, as Nesterov's method does.
    pub nesterov: bool,
}

impl Update {
    /// The tensors that the update reads and writes.
    pub fn tensors(&self) -> Vec<Tensor> {
        let velocity = self.momentum.map(|momentum| momentum.velocity);
        std::iter::once(self.parameter).chain(velocity).collect()
    }

    /// `momentum` and `nesterov` as shaders take them.
    pub(super) fn factors(&self) -> (f32, u32) {
        self.momentum.map_or((0.0, 0), |momentum| (momentum.factor, momentum.nesterov.into()))
    }

    /// On the CPU: the parameter's elements from `first` on follow their gradients `dw` in a step.
    pub(super) fn run(&self, memory: &HostMemory, step: &StepRecord, first: usize, dw: &[f32]) {
        let rate = self.rate.at(step);
        let range = first..first + dw.len();
        let w = &mut memory.f32_mut(self.parameter)[range.clone()];
        let Some(Momentum { velocity, factor, nesterov }) = self.momentum else {
            for (w, &dw) in w.iter_mut().zip(dw) {
                *w -= rate * (dw + self.decay * *w);
            }
            return;
        };
        let v = &mut memory.f32_mut(velocity)[range];
        for ((w, v), &dw) in w.iter_mut().zip(v).zip(dw) {
            let g = dw + self.decay * *w;
            *v = factor * *v + g;
            *w -= rate * if nesterov { g + factor * *v } else { *v };
        }
    }

    #[track_caller]
    pub(super) fn check(&self) {
        if let Some(momentum) = &self.momentum {
            momentum.velocity.expect("velocity", Element::F32, self.parameter.shape());
        }
    }
}

/// Records the update of `update.parameter` by its gradient `dw`, of the same shape.
pub fn step(plan: &mut Plan, update: Update, dw: Tensor) {
    update.parameter.expect("parameter", Element::F32, update.parameter.shape());
    dw.expect("dw", Element::F32, update.parameter.shape());
    update.check();
    plan.record(Sgd { update, dw });
}

#[derive(Debug)]
struct Sgd {
    update: Update,
    dw: Tensor,
}

uniform! {
    struct Params {
        /// Number of elements.
        length: u32,
        rate: f32,
        until: f32,
        decay: f32,
        momentum: f32,
        /// 1 for Nesterov's method.
        nesterov: u32,
    }
}

const WORKGROUP: u32 = 256;

static PLAIN: Kernel = Kernel {
    name: Cow::Borrowed("sgd"),
    source: shader!("step.wgsl", "learning_rate.wgsl", "sgd.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("dw"), write("w")]),
    reads_step: true,
    subgroups: false,
};

static MOMENTUM: Kernel = Kernel {
    name: Cow::Borrowed("sgd_momentum"),
    source: shader!("step.wgsl", "learning_rate.wgsl", "sgd_momentum.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("dw"), write("w"), write("v")]),
    reads_step: true,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    vec![PLAIN.clone(), MOMENTUM.clone()]
}

impl Op for Sgd {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.dw], &[]).updating(self.update.tensors())
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        self.update.run(memory, step, 0, &memory.f32(self.dw));
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let length = self.dw.len();
        let (momentum, nesterov) = self.update.factors();
        let Update { rate, decay, .. } = self.update;
        let (rate, until) = rate.params();
        let params = Params { length: length as u32, rate, until, decay, momentum, nesterov };
        let kernel = match self.update.momentum {
            None => &PLAIN,
            Some(_) => &MOMENTUM,
        };
        let mut tensors = vec![self.dw];
        tensors.extend(self.update.tensors());
        vec![Dispatch::new(kernel, params, &tensors, fold(length, WORKGROUP), 0)]
    }
}
