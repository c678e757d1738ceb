//! Optimizers: what happens to a parameter once its gradient is known.

use crate::config::{Groups, Optimizer, Treatment};
use crate::init::ParameterKind;
use crate::layers::{GradientSink, Parameter};
use crate::ops::matmul::{self, Epilogue, Form};
use crate::ops::sgd::{self, Momentum};
use crate::ops::{adam, average, clip_norm, column_sum, lion};
use crate::plan::{Plan, Role, StepRecord};
use crate::tensor::{Element, Tensor};

/// What an optimizer is told in the `step`-th step of a run, counted from 0.
/// `ema` is how much running averages of the parameters keep, where there are any.
pub fn step_record(optimizer: Optimizer, ema: Option<f32>, learning_rate: f32, step: usize) -> StepRecord {
    let record = StepRecord { learning_rate, step: step as u32, ..StepRecord::default() };
    let record = ema.map_or(record, |decay| average::share(record, decay, step));
    match optimizer {
        Optimizer::Adam { betas, .. } => adam::correct(record, betas, step),
        Optimizer::Sgd { .. } | Optimizer::Lion { .. } => record,
    }
}

/// Records the update of every parameter whose gradient it is handed.
///
/// Stochastic gradient descent happens inside the products that are the gradients. All else needs
/// gradients as tensors, and waits for the last of them where their norm is clipped.
#[derive(Debug)]
pub struct Updates {
    optimizer: Optimizer,
    groups: Groups,
    l2: f32,
    clip_norm: Option<f32>,
    /// Parameters with their gradients, until the norm is clipped.
    waiting: Vec<(Parameter, Tensor)>,
}

impl Updates {
    /// Updates by `optimizer`, but for what `groups` say of some parameters, of a loss with the L2 penalty `l2`; gradients are scaled down to the
    /// norm `clip_norm` where theirs, all taken together, is larger.
    pub fn new(optimizer: Optimizer, groups: Groups, l2: f32, clip_norm: Option<f32>) -> Self {
        Updates { optimizer, groups, l2, clip_norm, waiting: Vec::new() }
    }

    /// Records what waited for the last gradient.
    pub fn finish(mut self, plan: &mut Plan) {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(most) = self.clip_norm {
            let gradients: Vec<_> = waiting
                .iter()
                .map(|(parameter, dw)| clip_norm::Gradient {
                    dw: *dw,
                    w: parameter.tensor,
                    penalty: self.penalty(parameter),
                })
                .collect();
            clip_norm::clip(plan, &gradients, most);
        }
        for (parameter, gradient) in waiting {
            self.follow(plan, &parameter, gradient);
        }
    }

    /// Records the update of `parameter` by its gradient.
    fn follow(&self, plan: &mut Plan, parameter: &Parameter, dw: Tensor) {
        // The penalty is part of the loss, hence of the norm that is clipped; weight decay is not.
        let penalty = if self.clip_norm.is_some() { 0.0 } else { self.penalty(parameter) };
        let Own { rate, weight_decay } = self.own(plan, parameter);
        let mut state = |what: &str| state(plan, parameter, what);
        match self.optimizer {
            Optimizer::Sgd { .. } => {
                let update = self.descent(plan, parameter, penalty);
                sgd::step(plan, update, dw);
            }
            Optimizer::Adam { betas, epsilon, decoupled, .. } => {
                let (coupled, decoupled) =
                    if decoupled { (penalty, weight_decay) } else { (weight_decay + penalty, 0.0) };
                let [mean, square] = ["mean", "square"].map(&mut state);
                let parameter = parameter.tensor;
                let update =
                    adam::Update { parameter, mean, square, betas, epsilon, rate, coupled, decoupled };
                adam::step(plan, update, dw);
            }
            Optimizer::Lion { betas, .. } => {
                let (mean, parameter) = (state("mean"), parameter.tensor);
                let (coupled, decoupled) = (penalty, weight_decay);
                let update = lion::Update { parameter, mean, betas, rate, coupled, decoupled };
                lion::step(plan, update, dw);
            }
        }
    }

    /// What holds for `parameter`, whether its group says so or the optimizer.
    fn own(&self, plan: &Plan, parameter: &Parameter) -> Own {
        let Treatment { rate, decay } = self.groups.treatment(plan.name(parameter.tensor), parameter.kind);
        let (Optimizer::Sgd { weight_decay, .. }
        | Optimizer::Adam { weight_decay, .. }
        | Optimizer::Lion { weight_decay, .. }) = self.optimizer;
        Own { rate: rate.unwrap_or(1.0), weight_decay: decay.unwrap_or(weight_decay) }
    }

    /// How `parameter` follows its gradient by SGD, where the gradient lacks the L2 penalty's with the factor `penalty`.
    fn descent(&self, plan: &mut Plan, parameter: &Parameter, penalty: f32) -> sgd::Update {
        let Optimizer::Sgd { momentum: factor, nesterov, .. } = self.optimizer else {
            unreachable!("{} is no descent", self.optimizer.name())
        };
        let Own { rate, weight_decay } = self.own(plan, parameter);
        let momentum = (factor != 0.0).then(|| Momentum {
            velocity: state(plan, parameter, "velocity"),
            factor,
            nesterov,
        });
        sgd::Update { parameter: parameter.tensor, rate, decay: weight_decay + penalty, momentum }
    }

    /// Factor of the parameter in the gradient of the L2 penalty.
    fn penalty(&self, parameter: &Parameter) -> f32 {
        match parameter.kind {
            ParameterKind::Weight => self.l2,
            ParameterKind::Bias | ParameterKind::Gain | ParameterKind::Shift => 0.0,
        }
    }
}

/// What may differ from parameter to parameter.
struct Own {
    /// Factor of the learning rate.
    rate: f32,
    weight_decay: f32,
}

/// What is kept of a parameter from step to step.
fn state(plan: &mut Plan, parameter: &Parameter, what: &str) -> Tensor {
    let name = format!("{}.{what}", plan.name(parameter.tensor));
    plan.declare(name, Role::State, Element::F32, parameter.tensor.shape())
}

impl GradientSink for Updates {
    fn product(&mut self, plan: &mut Plan, weight: &Parameter, bias: &Parameter, dy: Tensor, x: Tensor) {
        match (self.optimizer, self.clip_norm) {
            (Optimizer::Sgd { .. }, None) => {
                let [weight, bias] =
                    [weight, bias].map(|parameter| self.descent(plan, parameter, self.penalty(parameter)));
                matmul::update(plan, dy, x, weight, Some(bias));
            }
            _ => {
                let dw = matmul::product(plan, Form::Tn, dy, x, Epilogue::None);
                let db = column_sum::forward(plan, dy);
                self.gradient(plan, weight, dw);
                self.gradient(plan, bias, db);
            }
        }
    }

    fn gradient(&mut self, plan: &mut Plan, parameter: &Parameter, gradient: Tensor) {
        match self.clip_norm {
            None => self.follow(plan, parameter, gradient),
            Some(_) => self.waiting.push((parameter.clone(), gradient)),
        }
    }
}
