//! The plan of a run: training, evaluation and the measurement of norms.

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

/// Sizes of a data set. Training images that a run holds out for validation are not counted in
/// `train`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Shape of every image.
    pub shape: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// Number of training images.
    pub train: usize,
    /// Number of validation images, if there are any.
    pub validation: Option<usize>,
    /// Number of test images.
    pub test: usize,
}

impl Sizes {
    /// The sizes of `dataset` for a run of `config`, which chooses the validation images.
    pub fn of(config: &Config, dataset: &Dataset) -> Self {
        let all = dataset.train.len();
        let validation = match config.validation {
            // A single image cannot be held out; the trainer reports that.
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

    /// Builds the model of `config` for images of this shape.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the model's text is invalid or its sizes do
    /// not fit, if a batch norm would see one value per channel, if the images are too small for
    /// the augmentation, or if a group names a parameter that the model does not have.
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

#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceLimits {
    /// Maximum number of bytes in one tensor.
    pub(super) largest: usize,
    pub(super) has_f16: bool,
}

impl DeviceLimits {
    pub(super) fn on(device: &dyn Device) -> Self {
        DeviceLimits { largest: device.largest_tensor(), has_f16: device.has_f16() }
    }
}

/// The plan of a run, with the handles of its steps and tensors.
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
    /// Records the run of `config` for a device with these limits.
    pub(super) fn new(
        config: &Config,
        sizes: &Sizes,
        DeviceLimits { largest, has_f16 }: DeviceLimits,
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
                Precision::F16 if has_f16 => Element::F16,
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
            // The penalty is measured before every block, so its rings already hold the weights'
            // norms.
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
