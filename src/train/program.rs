//! What a run computes: the plan with its steps, and the tensors that the host writes and reads.

use super::averages::Averages;
use super::health::Health;
use super::online;
use super::resident::{Resident, declare_normalisation};
use crate::augmentation::Augmentation;
use crate::data::ImageShape;
use crate::error::Result;
use crate::nn;
use crate::nn::init::ParameterKind;
use crate::nn::{Forward, Model, ModelSpec, Phase, Size};
use crate::ops::softmax_cross_entropy::{Loss, Target};
use crate::ops::{gather, l2_penalty, online_steps};
use crate::optim::{Recipe, Updates};
use crate::plan::{Plan, StepId};
use crate::tensor::{Element, Tensor};

/// Slots of every metric ring: most runs of a step in one submission.
pub(super) const SLOTS: usize = 1024;

/// Most images in one step of an evaluation.
const EVALUATION_BATCH: usize = 1000;

/// Most values that a layer hands on in one step of an evaluation: 64 MiB of them.
const MOST_EVALUATED: usize = 1 << 24;

/// A step that takes batches from a split and measures the model on them.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) step: StepId,
    pub(super) split: Resident,
    /// Images in the split.
    pub(super) count: usize,
    /// Images per run of the step.
    pub(super) batch: usize,
    /// Images per optimizer step: the batch, or 1 where a run of the step is a block of such steps.
    pub(super) images_per_step: usize,
    /// Ring of losses and hits.
    pub(super) metrics: Tensor,
    /// What that ring holds.
    pub(super) slots: Slots,
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

/// What the slots of a pass's ring hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slots {
    /// Pairs of weighted losses and hits, one per so many rows.
    Pairs,
    /// Sums over a block of steps: see [`online_steps`].
    Blocks,
}

impl Penalty {
    /// The penalty of all weights, as the rings' slot `slot` has it.
    pub(super) fn value(&self, rings: &[Vec<f32>], slot: usize) -> f64 {
        self.factor * (0..self.rings.len()).map(|weight| self.squares(weight, rings, slot)).sum::<f64>()
    }

    /// The squared norm of one weight.
    pub(super) fn squares(&self, weight: usize, rings: &[Vec<f32>], slot: usize) -> f64 {
        let width = self.rings[weight].matrix("ring")[1];
        rings[weight][slot * width..][..width].iter().map(|&sum| f64::from(sum)).sum()
    }
}

/// Where a forward pass gets its images, and what it is for.
struct Source<'a> {
    split: &'a Resident,
    batch: usize,
    phase: Phase,
}

/// Records a forward pass and what it is worth.
fn measure<'a>(plan: &mut Plan, model: &'a Model, source: Source<'_>, smoothing: f32) -> (Forward<'a>, Loss) {
    let Source { split, batch, phase } = source;
    let gather = match model.input() {
        Size::Map { .. } => gather::maps,
        Size::Row(_) if model.reads_pixels() => gather::pixels,
        Size::Row(_) => gather::forward,
    };
    let input = gather(plan, &split.images, split.order, batch, phase.element());
    model.forward_with_loss(plan, input.x, Target { labels: input.labels, smoothing, slots: SLOTS }, phase)
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
#[derive(Clone, Debug)]
pub(super) struct Training {
    pub(super) batch: usize,
    pub(super) recipe: Recipe,
    /// Share of the target that all classes have alike.
    pub(super) label_smoothing: f32,
    /// What becomes of the images.
    pub(super) augmentation: Augmentation,
    /// What dropout's random numbers follow from; it drops nothing where there is none.
    pub(super) dropout: Option<u64>,
    /// As what layers hand floats on. Blocks of steps of one image each keep theirs in 32 bits.
    pub(super) element: Element,
    /// Whether parameters have running averages.
    pub(super) averaged: bool,
    /// Whether the learning rate is the same in every step.
    pub(super) is_constant: bool,
}

/// A plan under construction, with the tensors that all of its steps share.
#[derive(Debug)]
pub(super) struct Builder {
    pub(super) plan: Plan,
    pub(super) model: Model,
    pub(super) normalisation: Tensor,
    /// What the parameters' running averages are, where there are any.
    pub(super) averages: Option<Averages>,
}

impl Builder {
    pub(super) fn new(spec: &ModelSpec, shape: ImageShape) -> Self {
        let mut plan = Plan::new();
        let model = Model::new(&mut plan, spec, shape.into());
        let normalisation = declare_normalisation(&mut plan, shape.channels);
        Builder { plan, model, normalisation, averages: None }
    }

    fn split(&mut self, name: &str, size: SplitSize) -> Result<Resident> {
        let SplitSize { count, shape, largest } = size;
        Resident::declare(&mut self.plan, name, count, shape, self.normalisation, largest)
    }

    /// Records training: a step per batch, or blocks of steps where a batch is one image and the
    /// model allows it.
    pub(super) fn train(&mut self, size: SplitSize, training: Training) -> Result<Pass> {
        match online::recognise(&self.model, &training) {
            Some(network) => self.train_online(size, network),
            None => self.train_batches(size, training),
        }
    }

    /// Records blocks of steps of one image each (see [`online_steps`]).
    fn train_online(&mut self, size: SplitSize, network: online::Network) -> Result<Pass> {
        let split = self.split("train", size)?;
        let batch = online_steps::BLOCK.min(size.count);
        let step = self.plan.begin("train");
        let plan = &mut self.plan;
        let input = gather::forward(plan, &split.images, split.order, batch, Element::F32);
        let metrics = network.record(plan, input, SLOTS);
        Ok(Pass { step, split, count: size.count, batch, images_per_step: 1, metrics, slots: Slots::Blocks })
    }

    /// Records a training step: a batch forward, backward, and the update of every parameter.
    pub(super) fn train_batches(&mut self, size: SplitSize, training: Training) -> Result<Pass> {
        let mut split = self.split("train", size)?;
        split.images.augmentation = training.augmentation;
        let batch = training.batch.min(size.count);
        let step = self.plan.begin("train");
        let Builder { plan, model, .. } = self;
        let phase = Phase::Training { dropout: training.dropout, element: training.element };
        let source = Source { split: &split, batch, phase };
        let (forward, loss) = measure(plan, model, source, training.label_smoothing);
        let Training { recipe, averaged, .. } = training;
        let mut updates = Updates::new(recipe, size.count.div_ceil(batch));
        nn::backward(plan, forward, loss.dlogits, &mut updates);
        updates.finish(plan);
        self.averages = averaged.then(|| Averages::record(plan, model));
        let metrics = loss.metrics;
        Ok(Pass {
            step,
            split,
            count: size.count,
            batch,
            images_per_step: batch,
            metrics,
            slots: Slots::Pairs,
        })
    }

    /// Records the measurement of a batch of the test images; returns the logits' tensor, too.
    pub(super) fn evaluate(&mut self, size: SplitSize) -> Result<(Pass, Tensor)> {
        self.evaluate_split("test", size)
    }

    /// Records the measurement of a batch of another split, which has this name.
    pub(super) fn evaluate_split(&mut self, name: &str, size: SplitSize) -> Result<(Pass, Tensor)> {
        let split = self.split(name, size)?;
        let batch = EVALUATION_BATCH.min(MOST_EVALUATED / self.model.most_values()).clamp(1, size.count);
        let step = self.plan.begin("evaluate");
        let source = Source { split: &split, batch, phase: Phase::Evaluation };
        let (forward, loss) = measure(&mut self.plan, &self.model, source, 0.0);
        let logits = forward.y;
        let metrics = loss.metrics;
        let pass = Pass {
            step,
            split,
            count: size.count,
            batch,
            images_per_step: batch,
            metrics,
            slots: Slots::Pairs,
        };
        Ok((pass, logits))
    }

    /// Records the measurement of the L2 penalty with factor `l2`; nothing where that is zero.
    pub(super) fn penalty(&mut self, l2: f32) -> Option<Penalty> {
        if l2 == 0.0 {
            return None;
        }
        let step = self.plan.begin("penalty");
        let rings = self
            .weights()
            .into_iter()
            .map(|weight| l2_penalty::value(&mut self.plan, weight, SLOTS))
            .collect();
        Some(Penalty { step, rings, factor: f64::from(l2) / 2.0 })
    }

    /// Records the look at everything that is kept from step to step. The weights' norms are those
    /// of `penalty`, if it is measured before every run of the training step.
    pub(super) fn health(&mut self, penalty: Option<&Penalty>) -> Health {
        let rings = penalty.map(|penalty| penalty.rings.clone()).unwrap_or_default();
        let known = self.weights().into_iter().zip(rings).collect();
        Health::record(&mut self.plan, known)
    }

    fn weights(&self) -> Vec<Tensor> {
        let weights = self.model.parameters().filter(|parameter| parameter.kind == ParameterKind::Weight);
        weights.map(|parameter| parameter.tensor).collect()
    }
}
