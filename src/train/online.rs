//! Recognises networks that can be trained with batch size 1 in blocks of steps, and records such a
//! block.

use super::step::TrainStepOptions;
use crate::nn::{Model, Module};
use crate::ops::activation::Activation;
use crate::ops::gather::Batch;
use crate::ops::matmul::{self, Epilogue, Form};
use crate::ops::online_steps::{self, BLOCK, Head};
use crate::optim::{Algorithm, Optimizer, Recipe};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// Maximum fraction of a weight that may decay in one step: within a block, updates are divided by
/// the remaining fraction of the weight.
const MOST_DECAY: f32 = 0.01;

/// Two linear layers with a ReLU between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    weight: Tensor,
    head: Head,
}

/// The network, if blocks of steps train it exactly as single steps would.
///
/// The conditions are batch size 1, plain SGD on the plain loss, no augmentation, a constant
/// learning rate, and a ReLU between two linear layers of moderate size.
pub(super) fn recognise(model: &Model, training: &TrainStepOptions) -> Option<Network> {
    let Recipe { optimizer, groups, l2, clip_norm, learning_rate } = &training.recipe;
    let &Optimizer { algorithm, momentum, weight_decay, .. } = optimizer;
    let modules = model.modules();
    let [
        Module::Linear { weight, bias },
        Module::Activation(Activation::Relu),
        Module::Linear { weight: weight2, bias: bias2 },
    ] = modules[..]
    else {
        return None;
    };
    let decay = weight_decay + l2;
    let fits = training.batch == 1
        && training.is_constant
        && algorithm == Algorithm::Sgd
        && momentum == 0.0
        && groups.is_empty()
        && !training.averaged
        && clip_norm.is_none()
        && training.label_smoothing == 0.0
        && training.augmentation.is_none()
        && learning_rate * decay <= MOST_DECAY
        && online_steps::fits(BLOCK, bias.len(), bias2.len());
    fits.then_some(Network {
        weight,
        head: Head { bias, weight2, bias2, weight_decay: decay, bias_decay: weight_decay },
    })
}

impl Network {
    /// Records a block of steps on the images of `input`, one image per step. Returns the ring of
    /// losses and correct counts.
    pub(super) fn record(&self, plan: &mut Plan, input: Batch, slots: usize) -> Tensor {
        let products = matmul::product(plan, Form::Nt, input.x, self.weight, Epilogue::None);
        let overlaps = matmul::product(plan, Form::Nt, input.x, input.x, Epilogue::None);
        let output = online_steps::forward(plan, products, overlaps, input.labels, self.head, slots);
        matmul::change(plan, output.change, input.x, self.weight, self.head.weight_decay);
        output.metrics
    }
}
