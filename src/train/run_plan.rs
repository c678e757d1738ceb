//! All that a run computes, recorded in one plan: training, evaluations, and the looks at its health.

use super::averages::Averages;
use super::divergence::NormProbe;
use super::program::RunPlanBuilder;
use crate::config::{Config, Validation};
use crate::data::{Dataset, ImageShape, Split, hold_out};
use crate::device::Device;
use crate::error::Result;
use crate::nn::{Model, ModelSpec};
use crate::optim::{Recipe, Schedule, Warmup};
use crate::plan::Plan;
use crate::tensor::{Element, Precision, Tensor};
use crate::train::step::{Penalty, Slots, SplitSize, SplitStep, TrainStepOptions};

/// Sizes of a data set, without the training images that a run holds out for validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Of every image.
    pub shape: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// Images to train on.
    pub train: usize,
    /// Images to validate on.
    pub validation: Option<usize>,
    /// Images to test with.
    pub test: usize,
}

impl Sizes {
    /// Those of `dataset` for a run of `config`, which says what the run is validated on.
    pub fn of(config: &Config, dataset: &Dataset) -> Self {
        let all = dataset.train.len();
        let validation = match config.validation {
            // Of a single image none can be held out, which the trainer says.
            Validation::Share(share) if all > 1 => Some(hold_out::count(share, all)),
            Validation::Share(_) | Validation::Test => None,
            Validation::None => dataset.validation.as_ref().map(Split::len),
        };
        let held_out = match config.validation {
            Validation::Share(_) => validation.unwrap_or(0),
            Validation::None | Validation::Test => 0,
        };
        Sizes {
            shape: dataset.shape,
            classes: dataset.classes.len(),
            train: all - held_out,
            validation,
            test: dataset.test.len(),
        }
    }

    /// The model of `config` for such images, if it can be built.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where the model's text or its sizes make no
    /// sense, where a batch norm would see one value a channel, where images are too small to be
    /// augmented, or where groups name parameters that the model does not have.
    pub fn model(&self, config: &Config) -> Result<ModelSpec> {
        config.augmentation().check([self.shape.height, self.shape.width])?;
        let spec = ModelSpec::parse(&config.model, self.classes)?;
        let batch = config.batch_size.min(self.train);
        spec.check_sizes(self.shape.into(), batch)?;
        spec.check_batch_norm(self.shape.into(), batch)?;
        let mut plan = Plan::new();
        let model = Model::new(&mut plan, &spec, self.shape.into());
        let names: Vec<_> = model.parameters().map(|parameter| plan.name(parameter.tensor)).collect();
        config.groups.check(&names)?;
        Ok(spec)
    }
}

/// What a device has room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceLimits {
    /// Most bytes of one tensor.
    pub(super) largest: usize,
    /// Whether it has floats of 16 bits.
    pub(super) has_half: bool,
}

impl DeviceLimits {
    /// That of `device`.
    pub(super) fn on(device: &dyn Device) -> Self {
        DeviceLimits { largest: device.largest_tensor(), has_half: device.has_half() }
    }
}

/// A run's plan, and where in it everything is.
#[derive(Debug)]
pub(super) struct RunPlan {
    pub(super) plan: Plan,
    pub(super) model: Model,
    pub(super) normalisation: Tensor,
    pub(super) training: SplitStep,
    pub(super) testing: SplitStep,
    pub(super) validating: Option<SplitStep>,
    pub(super) penalty: Option<Penalty>,
    pub(super) norm_probe: NormProbe,
    pub(super) averages: Option<Averages>,
}

impl RunPlan {
    /// Records the run of `config` for a device.
    pub(super) fn new(
        config: &Config,
        sizes: &Sizes,
        DeviceLimits { largest, has_half }: DeviceLimits,
    ) -> Result<Self> {
        let mut builder = RunPlanBuilder::new(&sizes.model(config)?, sizes.shape);
        let size = |count| SplitSize { count, shape: sizes.shape, largest };
        let training = TrainStepOptions {
            batch: config.batch_size,
            recipe: Recipe {
                optimizer: config.optimizer,
                groups: config.groups.clone(),
                l2: config.l2,
                clip_norm: config.clip_norm,
                learning_rate: config.learning_rate,
            },
            averaged: config.ema.is_some(),
            label_smoothing: config.label_smoothing,
            augmentation: config.augmentation(),
            dropout: Some(config.seed),
            element: match config.precision {
                Precision::F16 if has_half => Element::Half,
                Precision::F16 | Precision::F32 => Element::F32,
            },
            is_constant: config.schedule == Schedule::Constant && config.warmup == Warmup::Share(0.0),
        };
        let training = builder.train(size(sizes.train), training)?;
        let (testing, _) = builder.evaluate(size(sizes.test))?;
        let validating = sizes
            .validation
            .map(|count| builder.evaluate_split("validation", size(count)).map(|(pass, _)| pass))
            .transpose()?;
        let penalty = builder.penalty(config.l2);
        let norm_probe = builder.norm_probe(match training.slots {
            // The penalty is measured before every block, so it has the weights' norms already.
            Slots::Blocks => penalty.as_ref(),
            Slots::Pairs => None,
        });
        let RunPlanBuilder { mut plan, model, normalisation, averages } = builder;
        plan.share_scratch(&[]);
        Ok(RunPlan {
            plan,
            model,
            normalisation,
            training,
            testing,
            validating,
            penalty,
            norm_probe,
            averages,
        })
    }
}
