//! Records the update of every parameter.

use super::group::{GroupOptions, Groups};
use super::optimizer::{Algorithm, Optimizer, Update};
use crate::nn::init::ParameterKind;
use crate::nn::{GradientSink, Parameter};
use crate::ops::matmul::{self, Epilogue, Form};
use crate::ops::{Rate, average, clip_norm, column_sum};
use crate::plan::{Plan, StepRecord};
use crate::tensor::Tensor;

/// The data of the `step`-th step of a run, counted from 0, that the optimizer needs. `ema` is the
/// decay of the parameters' moving averages, if the run has them.
pub fn step_record(optimizer: Optimizer, ema: Option<f32>, learning_rate: f32, step: usize) -> StepRecord {
    let record = StepRecord { learning_rate, step: step as u32, ..StepRecord::default() };
    let record = ema.map_or(record, |decay| average::share(record, decay, step));
    optimizer.correct(record, step)
}

/// The hyperparameters of a run's updates.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The optimizer of all parameters that are in no group.
    pub optimizer: Optimizer,
    /// Parameter groups with other options.
    pub groups: Groups,
    /// L2 factor of the loss.
    pub l2: f32,
    /// Global norm that gradients are clipped to.
    pub clip_norm: Option<f32>,
    /// Peak learning rate of the schedule.
    pub learning_rate: f32,
}

/// Records the update of every parameter whose gradient it receives.
///
/// Plain SGD is fused into the matrix product that computes the gradient. All other updates need
/// gradients as tensors. If gradients are clipped, all updates come after the last gradient.
#[derive(Debug)]
pub struct Updates {
    recipe: Recipe,
    steps_per_epoch: usize,
    /// Parameters with their gradients, until all gradients are known and can be clipped.
    waiting: Vec<(Parameter, Tensor)>,
}

impl Updates {
    /// Updates by `recipe`, in a run with this many steps per epoch.
    pub fn new(recipe: Recipe, steps_per_epoch: usize) -> Self {
        Updates { recipe, steps_per_epoch, waiting: Vec::new() }
    }

    /// Records the updates that waited for the last gradient.
    pub fn finish(mut self, plan: &mut Plan) {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(most) = self.recipe.clip_norm {
            let gradients: Vec<_> = waiting
                .iter()
                .map(|(parameter, dw)| clip_norm::Gradient {
                    dw: *dw,
                    w: parameter.tensor,
                    penalty: self.penalty(parameter),
                })
                .collect();
            // There is nothing to clip if all parameters are frozen.
            if !gradients.is_empty() {
                clip_norm::clip(plan, &gradients, most);
            }
        }
        for (parameter, gradient) in waiting {
            self.update(plan, &parameter, gradient);
        }
    }

    /// Records the update of `parameter` by its gradient.
    fn update(&self, plan: &mut Plan, parameter: &Parameter, dw: Tensor) {
        // The penalty is part of the loss, so clipping includes it; weight decay is not.
        let penalty = if self.recipe.clip_norm.is_some() { 0.0 } else { self.penalty(parameter) };
        let ParameterOptions { optimizer, rate } = self.parameter_options(plan, parameter);
        Update::new(plan, parameter.tensor, optimizer, rate, penalty).record(dw);
    }

    /// The optimizer and learning rate of `parameter`: the recipe's, with the options of its
    /// groups.
    fn parameter_options(&self, plan: &Plan, parameter: &Parameter) -> ParameterOptions {
        let &Recipe { ref groups, learning_rate, mut optimizer, .. } = &self.recipe;
        let options = groups.options(plan.name(parameter.tensor), parameter.kind);
        let is_of_muon = optimizer.algorithm == Algorithm::Muon;
        if options.uses_sgd || is_of_muon && parameter.kind != ParameterKind::Weight {
            optimizer = optimizer.sgd();
        }
        let factor = options.rate.unwrap_or(1.0);
        let rate = match options.decay_to_zero_after {
            // A factor of zero freezes the parameter, with any schedule.
            Some(epochs) if factor > 0.0 => {
                // At least one step: the learning rate of the first is not yet zero.
                let steps = (epochs * self.steps_per_epoch as f32).round().max(1.0);
                Rate::Linear { first: factor * learning_rate, steps }
            }
            _ => Rate::Scaled(factor),
        };
        ParameterOptions { optimizer: with_group_options(optimizer, options), rate }
    }

    /// Factor of the parameter in the gradient of the L2 penalty.
    fn penalty(&self, parameter: &Parameter) -> f32 {
        match parameter.kind {
            ParameterKind::Weight => self.recipe.l2,
            ParameterKind::Bias | ParameterKind::NormWeight | ParameterKind::NormBias => 0.0,
        }
    }
}

/// The optimizer and learning rate of one parameter.
#[derive(Clone, Copy)]
struct ParameterOptions {
    optimizer: Optimizer,
    rate: Rate,
}

impl ParameterOptions {
    /// Whether the update can be fused into the product that computes the gradient.
    fn fits_in_product(&self) -> bool {
        let is_scaled = matches!(self.rate, Rate::Scaled(factor) if factor > 0.0);
        self.optimizer.algorithm == Algorithm::Sgd && is_scaled
    }
}

/// `optimizer` with the weight decay and momentum of a group.
fn with_group_options(optimizer: Optimizer, options: GroupOptions) -> Optimizer {
    Optimizer {
        weight_decay: options.decay.unwrap_or(optimizer.weight_decay),
        momentum: options.momentum.unwrap_or(optimizer.momentum),
        ..optimizer
    }
}

impl GradientSink for Updates {
    fn wants(&self, plan: &Plan, parameter: &Parameter) -> bool {
        self.parameter_options(plan, parameter).rate != Rate::Scaled(0.0)
    }

    fn product(&mut self, plan: &mut Plan, weight: &Parameter, bias: &Parameter, dy: Tensor, x: Tensor) {
        let own = [weight, bias].map(|parameter| self.parameter_options(plan, parameter));
        let is_one_op = own.iter().all(ParameterOptions::fits_in_product)
            && own[0].optimizer.momentum == own[1].optimizer.momentum
            && self.recipe.clip_norm.is_none();
        if is_one_op {
            let [weight, bias] = [(weight, own[0]), (bias, own[1])].map(|(parameter, own)| {
                let penalty = self.penalty(parameter);
                Update::new(plan, parameter.tensor, own.optimizer, own.rate, penalty).sgd()
            });
            matmul::update(plan, dy, x, weight, Some(bias));
            return;
        }
        if self.wants(plan, weight) {
            let dw = matmul::product(plan, Form::Tn, dy, x, Epilogue::None);
            self.gradient(plan, weight, dw);
        }
        if self.wants(plan, bias) {
            let db = column_sum::forward(plan, dy);
            self.gradient(plan, bias, db);
        }
    }

    fn gradient(&mut self, plan: &mut Plan, parameter: &Parameter, gradient: Tensor) {
        if !self.wants(plan, parameter) {
            return;
        }
        match self.recipe.clip_norm {
            None => self.update(plan, parameter, gradient),
            Some(_) => self.waiting.push((*parameter, gradient)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn;
    use crate::nn::{Model, ModelSpec, Phase, Size};
    use crate::plan::Role;
    use crate::tensor::Element;

    /// The ops that update a parameter or its state, each with the name of the first tensor it
    /// updates.
    fn updates(optimizer: Optimizer, groups: &str, clip_norm: Option<f32>) -> Vec<String> {
        let mut plan = Plan::new();
        let image = Size::Map { height: 4, width: 4, channels: 2 };
        let spec = ModelSpec::parse("conv:3x3,batchnorm,linear:5", 5).expect("it is a model");
        let model = Model::new(&mut plan, &spec, image);
        let x = plan.declare("x", Role::Input, Element::F32, [2, 4, 4, 2]);
        let dlogits = plan.declare("dlogits", Role::Input, Element::F32, [2, 5]);
        plan.begin("train");
        let forward = model.forward(&mut plan, x, Phase::Training { dropout: None, element: Element::F32 });
        let before = plan.steps()[0].ops.len();
        let groups = Groups::parse(groups).unwrap_or_default();
        let recipe = Recipe { optimizer, groups, l2: 0.0, clip_norm, learning_rate: 0.1 };
        let mut updates = Updates::new(recipe, 10);
        nn::backward(&mut plan, forward, dlogits, &mut updates);
        updates.finish(&mut plan);
        let ops = plan.steps()[0].ops[before..].iter();
        let updated = ops.filter_map(|op| {
            let first = op.operands().updates.into_iter().next()?;
            Some(format!("{} {}", op.name(), plan.name(first)))
        });
        updated.collect()
    }

    #[test]
    fn muon_is_for_weights_and_all_else_descends() {
        let muon = Optimizer { momentum: 0.6, nesterov: true, ..Optimizer::new(Algorithm::Muon) };
        let found = updates(muon, "", None);
        let wanted = [
            "muon_direct 3.weight.velocity",
            "muon_follow 3.weight",
            "sgd 3.bias",
            "sgd 1.weight",
            "sgd 1.bias",
            "muon_direct 0.weight.velocity",
            "muon_follow 0.weight",
        ];
        assert_eq!(found, wanted);
        let found = updates(muon, "3 optimizer=sgd, norms lr=0", None);
        let wanted = ["matmul_update 3.weight", "muon_direct 0.weight.velocity", "muon_follow 0.weight"];
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_is_frozen_is_not_updated_and_what_falls_by_itself_is_no_epilogue() {
        let plain = Optimizer::new(Algorithm::Sgd);
        let frozen = "weights lr=0, norms lr=0, 3.bias until=2";
        assert_eq!(updates(plain, frozen, None), ["sgd 3.bias"]);
        let all = "weights lr=0, biases lr=0, norms lr=0 until=2";
        assert!(updates(plain, all, Some(1.0)).is_empty());
        let found = updates(plain, "3.weight momentum=0.5", None);
        let wanted = ["sgd 3.weight", "sgd 3.bias"];
        assert_eq!(found[..2], wanted);
        let adam = Optimizer::new(Algorithm::AdamW);
        let found = updates(adam, "norms optimizer=sgd momentum=0.9, biases lr=0", None);
        let wanted = ["adam 3.weight", "sgd 1.weight", "sgd 1.bias", "adam 0.weight"];
        assert_eq!(found, wanted);
    }
}
