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

use super::Rate;
use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, SgdParams};
use crate::plan::{HostMemory, Plan, StepRecord};
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
        match self.momentum {
            None => descend(rate, self.decay, dw, w),
            Some(momentum) => {
                let v = &mut memory.f32_mut(momentum.velocity)[range];
                momentum.descend(rate, self.decay, dw, w, v);
            }
        }
    }

    #[track_caller]
    pub(super) fn check(&self) {
        if let Some(momentum) = &self.momentum {
            momentum.velocity.expect("velocity", Element::F32, self.parameter.shape());
        }
    }
}

/// An update without momentum, on the CPU.
fn descend(rate: f32, decay: f32, dw: &[f32], w: &mut [f32]) {
    for (w, &dw) in w.iter_mut().zip(dw) {
        *w -= rate * (dw + decay * *w);
    }
}

impl Momentum {
    /// An update on the CPU.
    fn descend(self, rate: f32, decay: f32, dw: &[f32], w: &mut [f32], v: &mut [f32]) {
        let Momentum { factor, nesterov, .. } = self;
        for ((w, v), &dw) in w.iter_mut().zip(v).zip(dw) {
            let g = dw + decay * *w;
            *v = factor * *v + g;
            *w -= rate * if nesterov { g + factor * *v } else { *v };
        }
    }
}

/// Records the update of `update.parameter` by its gradient `dw`, of the same shape.
pub fn step(plan: &mut Plan, update: Update, dw: Tensor) {
    update.parameter.expect("parameter", Element::F32, update.parameter.shape());
    dw.expect("dw", Element::F32, update.parameter.shape());
    update.check();
    let (momentum, nesterov) = update.factors();
    let Update { parameter, rate, decay, .. } = update;
    let (factor, until) = rate.params();
    let params = SgdParams { length: dw.len() as u32, rate: factor, until, decay, momentum, nesterov };
    let name = "sgd";
    match update.momentum {
        None => Elementwise { name, kernel: &shaders::SGD, params, reads: [dw], outputs: [parameter] }
            .record_update(plan, move |elements, [dw], [w]| descend(rate.at(elements.step), decay, dw, w)),
        Some(momentum) => {
            let outputs = [parameter, momentum.velocity];
            Elementwise { name, kernel: &shaders::SGD_MOMENTUM, params, reads: [dw], outputs }
                .record_update(plan, move |elements, [dw], [w, v]| {
                    momentum.descend(rate.at(elements.step), decay, dw, w, v);
                });
        }
    }
}
