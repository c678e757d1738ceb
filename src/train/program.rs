//! Records the computation of a run: the plan with its steps, and the tensors that the host reads
//! and writes.

use super::averages::Averages;
use super::dataset_on_device::{DatasetOnDevice, declare_normalisation};
use super::divergence::NormProbe;
use super::online;
use super::step::{Penalty, SLOTS, Slots, SplitSize, SplitStep, TrainStepOptions};
use crate::data::ImageShape;
use crate::error::Result;
use crate::nn;
use crate::nn::init::ParameterKind;
use crate::nn::{Forward, Model, ModelSpec, Phase, Size};
use crate::ops::softmax_cross_entropy::{Loss, Target};
use crate::ops::{gather, l2_penalty, online_steps};
use crate::optim::Updates;
use crate::plan::Plan;
use crate::tensor::{Element, Tensor};

/// Maximum number of images per evaluation step.
const EVALUATION_BATCH: usize = 1000;

/// Maximum number of values in one activation of an evaluation step: 64 MiB of them.
const MOST_EVALUATED: usize = 1 << 24;

/// Where a forward pass gets its images from, and its purpose.
struct Source<'a> {
    split: &'a DatasetOnDevice,
    batch: usize,
    phase: Phase,
}

/// Records a forward pass and its loss.
fn measure(plan: &mut Plan, model: &Model, source: Source<'_>, smoothing: f32) -> (Forward, Loss) {
    let Source { split, batch, phase } = source;
    let gather = match model.input() {
        Size::Map { .. } => gather::maps,
        Size::Row(_) if model.reads_pixels() => gather::pixels,
        Size::Row(_) => gather::forward,
    };
    let input = gather(plan, &split.images, split.order, batch, phase.element());
    model.forward_with_loss(plan, input.x, Target { labels: input.labels, smoothing, slots: SLOTS }, phase)
}

/// A plan under construction, with the tensors that all of its steps share.
#[derive(Debug)]
pub(super) struct RunPlanBuilder {
    pub(super) plan: Plan,
    pub(super) model: Model,
    pub(super) normalisation: Tensor,
    /// Moving averages of the parameters, if the run has them.
    pub(super) averages: Option<Averages>,
}

impl RunPlanBuilder {
    pub(super) fn new(spec: &ModelSpec, shape: ImageShape) -> Self {
        let mut plan = Plan::new();
        let model = Model::new(&mut plan, spec, shape.into());
        let normalisation = declare_normalisation(&mut plan, shape.channels);
        RunPlanBuilder { plan, model, normalisation, averages: None }
    }

    fn split(&mut self, name: &str, size: SplitSize) -> Result<DatasetOnDevice> {
        let SplitSize { count, shape, largest } = size;
        DatasetOnDevice::declare(&mut self.plan, name, count, shape, self.normalisation, largest)
    }

    /// Records training: one step per batch, or blocks of steps if the batch size is 1 and the
    /// model allows it.
    pub(super) fn train(&mut self, size: SplitSize, training: TrainStepOptions) -> Result<SplitStep> {
        match online::recognise(&self.model, &training) {
            Some(network) => self.train_online(size, network),
            None => self.train_batches(size, training),
        }
    }

    /// Records blocks of steps of one image each (see [`online_steps`]).
    fn train_online(&mut self, size: SplitSize, network: online::Network) -> Result<SplitStep> {
        let split = self.split("train", size)?;
        let count = size.count;
        let batch = online_steps::BLOCK.min(count);
        let step = self.plan.begin("train");
        let plan = &mut self.plan;
        let input = gather::forward(plan, &split.images, split.order, batch, Element::F32);
        let metrics = network.record(plan, input, SLOTS);
        Ok(SplitStep { step, split, count, batch, images_per_step: 1, metrics, slots: Slots::Blocks })
    }

    /// Records a training step: forward pass, backward pass and the update of every parameter.
    pub(super) fn train_batches(&mut self, size: SplitSize, training: TrainStepOptions) -> Result<SplitStep> {
        let mut split = self.split("train", size)?;
        split.images.augmentation = training.augmentation;
        let count = size.count;
        let batch = training.batch.min(count);
        let step = self.plan.begin("train");
        let RunPlanBuilder { plan, model, .. } = self;
        let phase = Phase::Training { dropout: training.dropout, element: training.element };
        let source = Source { split: &split, batch, phase };
        let (forward, loss) = measure(plan, model, source, training.label_smoothing);
        let TrainStepOptions { recipe, averaged, .. } = training;
        let mut updates = Updates::new(recipe, count.div_ceil(batch));
        nn::backward(plan, forward, loss.dlogits, &mut updates);
        updates.finish(plan);
        self.averages = averaged.then(|| Averages::record(plan, model));
        let metrics = loss.metrics;
        Ok(SplitStep { step, split, count, batch, images_per_step: batch, metrics, slots: Slots::Pairs })
    }

    /// Records the evaluation of a batch of test images. Also returns the tensor of the logits.
    pub(super) fn evaluate(&mut self, size: SplitSize) -> Result<(SplitStep, Tensor)> {
        self.evaluate_split("test", size)
    }

    /// Records the evaluation of a batch of the split `name`.
    pub(super) fn evaluate_split(&mut self, name: &str, size: SplitSize) -> Result<(SplitStep, Tensor)> {
        let split = self.split(name, size)?;
        let count = size.count;
        let batch = EVALUATION_BATCH.min(MOST_EVALUATED / self.model.most_values()).clamp(1, count);
        let step = self.plan.begin("evaluate");
        let source = Source { split: &split, batch, phase: Phase::Evaluation };
        let (forward, loss) = measure(&mut self.plan, &self.model, source, 0.0);
        let logits = forward.y;
        let metrics = loss.metrics;
        let pass =
            SplitStep { step, split, count, batch, images_per_step: batch, metrics, slots: Slots::Pairs };
        Ok((pass, logits))
    }

    /// Records the measurement of the L2 penalty with factor `l2`; `None` if that is 0.
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

    /// Records the measurement of the norms that divergence is detected by. If the penalty is
    /// measured before every run of the training step, its rings already hold the norms of the
    /// weights.
    pub(super) fn norm_probe(&mut self, penalty: Option<&Penalty>) -> NormProbe {
        let rings = penalty.map(|penalty| penalty.rings.clone()).unwrap_or_default();
        let known = self.weights().into_iter().zip(rings).collect();
        NormProbe::record(&mut self.plan, known)
    }

    fn weights(&self) -> Vec<Tensor> {
        let weights = self.model.parameters().filter(|parameter| parameter.kind == ParameterKind::Weight);
        weights.map(|parameter| parameter.tensor).collect()
    }
}
