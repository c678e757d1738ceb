//! All that a run computes, recorded in one plan: training, evaluations, and the looks at its health.

use super::averages::Averages;
use super::health::Health;
use super::program::{Builder, Pass, Penalty, Slots, SplitSize, Training};
use crate::config::{Config, Precision, Schedule, Warmup};
use crate::data::ImageShape;
use crate::device::Device;
use crate::error::Result;
use crate::model::{Model, ModelSpec};
use crate::optim::Recipe;
use crate::plan::Plan;
use crate::tensor::{Element, Tensor};

/// Sizes of a data set, validation images taken out of the training images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Of every image.
    pub shape: ImageShape,
    /// Number of classes.
    pub classes: usize,
    /// Images to train on.
    pub train: usize,
    /// Images kept aside to judge the run by.
    pub validation: Option<usize>,
    /// Images to test with.
    pub test: usize,
}

impl Sizes {
    /// The model of `config` for such images, if it can be built.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where the model's text or its sizes make no sense, where images
    /// are too small to be augmented, or where groups name parameters that the model does not have.
    pub fn model(&self, config: &Config) -> Result<ModelSpec> {
        config.augmentation().check([self.shape.height, self.shape.width])?;
        let spec = ModelSpec::parse(&config.model, self.classes)?;
        spec.check_sizes(self.shape.into(), config.batch_size.min(self.train))?;
        let mut plan = Plan::new();
        let model = Model::new(&mut plan, &spec, self.shape.into());
        let names: Vec<_> = model.parameters().map(|parameter| plan.name(parameter.tensor)).collect();
        config.groups.check(&names)?;
        Ok(spec)
    }
}

/// What a device has room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Most bytes of one tensor.
    pub(super) largest: usize,
    /// Whether it has floats of 16 bits.
    pub(super) has_half: bool,
}

impl Room {
    /// That of `device`.
    pub(super) fn on(device: &dyn Device) -> Self {
        Room { largest: device.largest_tensor(), has_half: device.has_half() }
    }
}

/// A run's plan, and where in it everything is.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) plan: Plan,
    pub(super) model: Model,
    pub(super) normalisation: Tensor,
    pub(super) training: Pass,
    pub(super) testing: Pass,
    pub(super) validating: Option<Pass>,
    pub(super) penalty: Option<Penalty>,
    pub(super) health: Health,
    pub(super) averages: Option<Averages>,
}

impl Recorded {
    /// Records the run of `config` for a device.
    pub(super) fn new(config: &Config, sizes: &Sizes, Room { largest, has_half }: Room) -> Result<Self> {
        let mut builder = Builder::new(&sizes.model(config)?, sizes.shape);
        let size = |count| SplitSize { count, shape: sizes.shape, largest };
        let training = Training {
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
        let health = builder.health(match training.slots {
            // The penalty is measured before every block, so it has the weights' norms already.
            Slots::Blocks => penalty.as_ref(),
            Slots::Pairs => None,
        });
        let Builder { mut plan, model, normalisation, averages } = builder;
        plan.share_scratch(&[]);
        Ok(Recorded { plan, model, normalisation, training, testing, validating, penalty, health, averages })
    }
}
