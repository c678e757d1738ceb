//! What a run computes: the plan with its steps, and the tensors that the host writes and reads.

use super::resident::{Resident, declare_normalisation};
use crate::config::Optimizer;
use crate::data::ImageShape;
use crate::error::Result;
use crate::init::ParameterKind;
use crate::model::{Model, ModelSpec};
use crate::ops::softmax_cross_entropy::{self, Output};
use crate::ops::{gather, l2_penalty};
use crate::optim::Updates;
use crate::plan::{Plan, StepId};
use crate::tensor::Tensor;

/// Slots of every metric ring: most runs of a step in one submission.
pub(super) const SLOTS: usize = 1024;

/// Most images in one step of an evaluation.
const EVALUATION_BATCH: usize = 1000;

/// A step that takes batches from a split and measures the model on them.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) step: StepId,
    pub(super) split: Resident,
    /// Images in the split.
    pub(super) count: usize,
    /// Images per step.
    pub(super) batch: usize,
    /// Ring of losses and hits.
    pub(super) metrics: Tensor,
    /// The model's output.
    pub(super) logits: Tensor,
}

/// The step that measures the L2 penalty.
#[derive(Debug)]
pub(super) struct Penalty {
    pub(super) step: StepId,
    /// Rings of partial sums of squares, one per weight.
    pub(super) rings: Vec<Tensor>,
    /// Half of the penalty's factor.
    pub(super) factor: f64,
}

impl Penalty {
    /// The penalty that the rings' slot `slot` holds.
    pub(super) fn value(&self, rings: &[Vec<f32>], slot: usize) -> f64 {
        let squares = self.rings.iter().zip(rings).map(|(tensor, ring)| {
            let width = tensor.matrix("ring")[1];
            ring[slot * width..][..width].iter().map(|&sum| f64::from(sum)).sum::<f64>()
        });
        self.factor * squares.sum::<f64>()
    }
}

/// A split's size, as a program needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SplitSize {
    pub(super) count: usize,
    pub(super) shape: ImageShape,
    /// Most bytes of one tensor.
    pub(super) largest: usize,
}

/// How a program trains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Training {
    pub(super) batch: usize,
    pub(super) optimizer: Optimizer,
    pub(super) l2: f32,
}

/// A plan under construction, with the tensors that all of its steps share.
#[derive(Debug)]
pub(super) struct Builder {
    pub(super) plan: Plan,
    pub(super) model: Model,
    pub(super) normalisation: Tensor,
}

impl Builder {
    pub(super) fn new(spec: &ModelSpec, shape: ImageShape) -> Self {
        let mut plan = Plan::new();
        let model = Model::new(&mut plan, spec, shape.pixels());
        let normalisation = declare_normalisation(&mut plan, shape.channels);
        Builder { plan, model, normalisation }
    }

    fn split(&mut self, name: &str, size: SplitSize) -> Result<Resident> {
        let SplitSize { count, shape, largest } = size;
        Resident::declare(&mut self.plan, name, count, shape, self.normalisation, largest)
    }

    /// Records a training step: a batch forward, backward, and the update of every parameter.
    pub(super) fn train(&mut self, size: SplitSize, training: Training) -> Result<Pass> {
        let split = self.split("train", size)?;
        let batch = training.batch.min(size.count);
        let step = self.plan.begin("train");
        let (logits, output, activations) = self.measure(&split, batch);
        let mut updates = Updates::new(training.optimizer, training.l2);
        self.model.backward(&mut self.plan, &activations, output.dlogits, &mut updates);
        Ok(Pass { step, split, count: size.count, batch, metrics: output.metrics, logits })
    }

    /// Records the measurement of a batch of another split.
    pub(super) fn evaluate(&mut self, size: SplitSize) -> Result<Pass> {
        let split = self.split("test", size)?;
        let batch = EVALUATION_BATCH.min(size.count);
        let step = self.plan.begin("evaluate");
        let (logits, output, _) = self.measure(&split, batch);
        Ok(Pass { step, split, count: size.count, batch, metrics: output.metrics, logits })
    }

    fn measure(&mut self, split: &Resident, batch: usize) -> (Tensor, Output, crate::model::Activations) {
        let plan = &mut self.plan;
        let input = gather::forward(plan, &split.images, split.order, batch);
        let activations = self.model.forward(plan, input.x);
        let logits = activations.logits();
        let output = softmax_cross_entropy::forward(plan, logits, input.labels, SLOTS);
        (logits, output, activations)
    }

    /// Records the measurement of the L2 penalty with factor `l2`; nothing where that is zero.
    pub(super) fn penalty(&mut self, l2: f32) -> Option<Penalty> {
        if l2 == 0.0 {
            return None;
        }
        let step = self.plan.begin("penalty");
        let weights = self.model.parameters().filter(|parameter| parameter.kind == ParameterKind::Weight);
        let weights: Vec<Tensor> = weights.map(|parameter| parameter.tensor).collect();
        let rings =
            weights.into_iter().map(|weight| l2_penalty::value(&mut self.plan, weight, SLOTS)).collect();
        Some(Penalty { step, rings, factor: f64::from(l2) / 2.0 })
    }
}
