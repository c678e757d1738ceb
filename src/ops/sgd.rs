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
//! Each parameter may have its own learning rate: lr is its [`Rate`]. `decay` is the optimizer's
//! weight decay plus, for weights, the factor of the L2 penalty, whose gradient is exactly `l2 w`.
//! If the gradient is a matrix product, the update runs in that matmul's epilogue and `dw` is never
//! stored (see [`Epilogue::Update`](super::matmul::Epilogue)).
//!
//! ```
//! use shadegrad::ops::Rate;
//! use shadegrad::ops::sgd::{self, Update};
//! use shadegrad::plan::{Plan, Role};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let parameter = plan.declare("w", Role::Parameter, Element::F32, [4]);
//! let dw = plan.declare("dw", Role::Input, Element::F32, [4]);
//! let step = plan.begin("example");
//! let update = Update { parameter, rate: Rate::Scaled(1.0), decay: 5e-4, momentum: None };
//! sgd::step(&mut plan, update, dw);
//! assert_eq!(plan.step(step).ops.len(), 1);
//! ```

use super::Rate;
use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, SgdParams};
use crate::plan::{HostMemory, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// One parameter with its optimizer state and settings.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// The parameter.
    pub parameter: Tensor,
    /// Its learning rate.
    pub rate: Rate,
    /// Weight decay: this factor of the parameter is added to its gradient.
    pub decay: f32,
    /// The momentum, if the optimizer uses one.
    pub momentum: Option<Momentum>,
}

/// Momentum of SGD.
#[derive(Clone, Copy, Debug)]
pub struct Momentum {
    /// The velocity: the parameter's shape, initially zeros.
    pub velocity: Tensor,
    /// Fraction of the velocity that is kept in a step, from 0 to 1.
    pub factor: f32,
    /// Whether this is Nesterov momentum.
    pub nesterov: bool,
}

impl Update {
    /// The tensors that the update reads and writes.
    pub fn tensors(&self) -> Vec<Tensor> {
        let velocity = self.momentum.map(|momentum| momentum.velocity);
        std::iter::once(self.parameter).chain(velocity).collect()
    }

    /// `momentum` and `nesterov` as shaders expect them.
    pub(super) fn factors(&self) -> (f32, u32) {
        self.momentum.map_or((0.0, 0), |momentum| (momentum.factor, momentum.nesterov.into()))
    }

    /// On the CPU: updates the parameter's elements from `first` on with their gradients `dw`.
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

/// Records the update of `update.parameter` with its gradient `dw`, of the same shape.
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
            Elementwise { name, kernel: &shaders::SGD_MOMENTUM, params, reads: [dw], outputs }.record_update(
                plan,
                move |elements, [dw], [w, v]| {
                    momentum.descend(rate.at(elements.step), decay, dw, w, v);
                },
            );
        }
    }
}
