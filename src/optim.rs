//! Optimizers: what happens to a parameter once its gradient is known.

use crate::config::Optimizer;
use crate::init::ParameterKind;
use crate::layers::{GradientSink, Parameter};
use crate::ops::matmul;
use crate::ops::sgd::{Momentum, Update};
use crate::plan::{Plan, Role};
use crate::tensor::{Element, Tensor};

/// Records the update of every parameter whose gradient it is handed.
#[derive(Debug)]
pub struct Updates {
    optimizer: Optimizer,
    l2: f32,
}

impl Updates {
    /// Updates by `optimizer`, of a loss with the L2 penalty `l2`.
    pub fn new(optimizer: Optimizer, l2: f32) -> Self {
        Updates { optimizer, l2 }
    }

    fn update(&self, plan: &mut Plan, parameter: &Parameter) -> Update {
        let Optimizer::Sgd { momentum, nesterov, weight_decay } = self.optimizer;
        let penalty = match parameter.kind {
            ParameterKind::Weight => self.l2,
            ParameterKind::Bias => 0.0,
        };
        let momentum = (momentum != 0.0).then(|| {
            let name = format!("{}.velocity", plan.name(parameter.tensor));
            let shape = parameter.tensor.shape();
            Momentum {
                velocity: plan.declare(name, Role::State, Element::F32, shape),
                factor: momentum,
                nesterov,
            }
        });
        Update { parameter: parameter.tensor, decay: weight_decay + penalty, momentum }
    }
}

impl GradientSink for Updates {
    fn product(&mut self, plan: &mut Plan, weight: &Parameter, bias: &Parameter, dy: Tensor, x: Tensor) {
        let [weight, bias] = [weight, bias].map(|parameter| self.update(plan, parameter));
        matmul::update(plan, dy, x, weight, Some(bias));
    }
}
