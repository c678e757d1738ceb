//! The configuration of a run, resolved and validated.

use std::path::PathBuf;

use crate::augmentation::{Augmentation, Flip};
use crate::data::pictures::{self, Resize};

use super::choices::{Monitor, Validation};
use super::interval::Interval;
use crate::data::Normalize;
use crate::nn::InitRule;
use crate::optim::{Groups, LearningRate, Optimizer, Schedule, Warmup};
use crate::tensor::Precision;

/// Everything that the result of a training run depends on, resolved and validated.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Name of the preset that the configuration started from.
    pub preset: String,
    /// Name of a known data set, or a folder. Empty if none was given; the run then has nothing to
    /// train on.
    pub data: String,
    /// Side of the square training images in pixels, for image folders. `None` derives it from the
    /// pictures.
    pub image_size: Option<usize>,
    /// How pictures are brought to the training size.
    pub resize: Resize,
    /// How pixels are normalised.
    pub normalize: Normalize,
    /// Layers joined by commas: `linear:128,relu,linear:10`.
    pub model: String,
    /// Initial weights.
    pub init: Init,
    /// Precision of activations and gradients.
    pub precision: Precision,
    /// Passes over the training images.
    pub epochs: usize,
    /// Number of optimizer steps after which to stop, even in the middle of an epoch.
    pub max_steps: Option<usize>,
    /// Images per step.
    pub batch_size: usize,
    /// Horizontal flips of training images.
    pub flip: Flip,
    /// Largest random shift of training images, in pixels.
    pub crop: usize,
    /// Side of the square that is masked in training images; 0 for none.
    pub cutout: usize,
    /// Whether the images are shuffled in every epoch. If not, they are taken in file order.
    pub shuffle: bool,
    /// Random seed of the run.
    pub seed: u64,
    /// Optimizer, with its hyperparameters.
    pub optimizer: Optimizer,
    /// Parameter groups: overrides for some parameters.
    pub groups: Groups,
    /// Learning rate of the first step (or the peak, where a schedule warms up).
    pub learning_rate: f32,
    /// Learning rate schedule.
    pub schedule: Schedule,
    /// Length of the schedule in steps or epochs; `None` for the length of the run.
    pub schedule_steps: Option<Interval>,
    /// Interval, in steps or epochs, at which the step schedule lowers the learning rate.
    pub step_every: Option<Interval>,
    /// Factor by which the step schedule multiplies the learning rate.
    pub step_factor: f32,
    /// Length of the warm-up, in which the learning rate rises from zero.
    pub warmup: Warmup,
    /// Largest global norm of the gradients. Gradients with a larger norm are scaled down to it.
    pub clip_norm: Option<f32>,
    /// Label smoothing, from 0 up to (not including) 1. It applies to the training loss only.
    pub label_smoothing: f32,
    /// Decay of the exponential moving average of the parameters. If it is set, the averages are
    /// evaluated and saved instead of the parameters themselves.
    pub ema: Option<f32>,
    /// L2 penalty: `l2 / 2` times the squared norm of all weights is added to the loss.
    pub l2: f32,
    /// The images that the run is validated on.
    pub validation: Validation,
    /// The metric that decides the best epoch and early stopping.
    pub monitor: Monitor,
    /// Early stopping: number of epochs without improvement after which to stop.
    pub patience: Option<usize>,
    /// How often a checkpoint is saved. It does not affect the results.
    pub checkpoint_every: Interval,
    /// Whether to keep the best epoch's checkpoint in addition to the last two. It does not affect
    /// the results.
    pub keep_best: bool,
}

impl Config {
    /// Returns the number of optimizer steps in a full epoch over `images` training images.
    ///
    /// # Panics
    /// Panics if `images` is 0.
    pub fn steps_per_epoch(&self, images: usize) -> usize {
        images.div_ceil(self.batch_size.min(images))
    }

    /// Returns the number of optimizer steps of the run, unless early stopping ends it sooner.
    pub fn steps(&self, steps_per_epoch: usize) -> usize {
        let epochs = self.epochs.saturating_mul(steps_per_epoch);
        self.max_steps.map_or(epochs, |most| most.min(epochs))
    }

    /// Returns the learning rate of every step. A full epoch has `steps_per_epoch` steps.
    pub fn learning_rates(&self, steps_per_epoch: usize) -> LearningRate {
        let of_epochs = |epochs: usize| epochs.saturating_mul(steps_per_epoch);
        // Minutes were rejected when the configuration was resolved.
        let steps_of = |interval| match interval {
            Interval::Steps(steps) => Some(steps),
            Interval::Epochs(epochs) => Some(of_epochs(epochs)),
            Interval::Minutes(_) => None,
        };
        let laid_out = self.schedule_steps.and_then(steps_of);
        let steps = laid_out.unwrap_or_else(|| self.steps(steps_per_epoch));
        LearningRate {
            peak: self.learning_rate,
            schedule: self.schedule,
            warmup: match self.warmup {
                Warmup::Share(share) => f64::from(share) * steps as f64,
                Warmup::Steps(steps) => steps as f64,
                Warmup::Epochs(epochs) => epochs as f64 * steps_per_epoch as f64,
            },
            step_every: self.step_every.and_then(steps_of).unwrap_or(usize::MAX),
            step_factor: self.step_factor,
            steps,
        }
    }

    /// Returns the data augmentation of the training images.
    pub fn augmentation(&self) -> Augmentation {
        let &Config { seed, flip, crop, cutout, .. } = self;
        Augmentation { seed, flip, crop, cutout }
    }

    /// Returns how the pictures of a folder are to be loaded.
    pub fn pictures(&self) -> pictures::Wanted {
        let size = self.image_size.map_or(pictures::Size::Found, pictures::Size::Side);
        pictures::Wanted { size, resize: self.resize, ..pictures::Wanted::default() }
    }
}

/// Initial weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Init {
    /// An initialisation rule. It uses the seed.
    Rule(InitRule),
    /// A model file, or the folder of a run or checkpoint that contains one. Parameter names and
    /// shapes must match the model's.
    File(PathBuf),
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::config::{Key, Origin, Settings, Sources, resolve};

    fn config(flags: &[(Key, &str)]) -> Config {
        let mut settings = Settings::default();
        for (key, text) in flags {
            settings.set_text(*key, OsStr::new(text), Origin::Caller).expect("the value is allowed");
        }
        let sources = Sources { flags: settings, environment: &|_| None, file: None };
        resolve(sources).expect("the values fit").config
    }

    #[test]
    fn a_schedule_ends_with_the_run_unless_somebody_says_otherwise() {
        let common = [(Key::Epochs, "10"), (Key::Schedule, "cosine"), (Key::Warmup, "0.1")];
        for (more, steps) in [
            (&[][..], 500),
            (&[(Key::MaxSteps, "100")], 100),
            (&[(Key::MaxSteps, "1000")], 500),
            (&[(Key::MaxSteps, "100"), (Key::ScheduleSteps, "300")], 300),
            (&[(Key::MaxSteps, "100"), (Key::ScheduleSteps, "10e")], 500),
            (&[(Key::ScheduleSteps, "20e")], 1000),
            (&[(Key::ScheduleSteps, "40")], 40),
        ] {
            let rate = config(&[&common, more].concat()).learning_rates(50);
            assert_eq!(rate.steps, steps, "{more:?}");
            let share = f64::from(0.1f32) * steps as f64;
            assert_eq!(rate.warmup, share, "the warm-up is a share of the schedule: {more:?}");
        }
        let warmup = |text| config(&[(Key::Warmup, text), (Key::MaxSteps, "90")]).learning_rates(50).warmup;
        assert_eq!((warmup("7"), warmup("1e")), (7.0, 50.0));
    }
}
