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

/// Everything a training run depends on, resolved and validated. No clap, no TOML in here.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Name of the preset it started from.
    pub preset: String,
    /// A known data set's name or a folder. Empty where none was named: then there is nothing to
    /// train on.
    pub data: String,
    /// Side of the images that a folder's pictures become; else it depends on the pictures.
    pub image_size: Option<usize>,
    /// What becomes of pictures of another size.
    pub resize: Resize,
    /// How pixels become the model's input.
    pub normalize: Normalize,
    /// Layers joined by commas: `linear:128,relu,linear:10`.
    pub model: String,
    /// Where the first weights come from.
    pub init: Init,
    /// In how many bits layers hand floats on.
    pub precision: Precision,
    /// Passes over the training images.
    pub epochs: usize,
    /// Optimizer steps after which to stop, wherever in an epoch that is.
    pub max_steps: Option<usize>,
    /// Images per step.
    pub batch_size: usize,
    /// How training images are mirrored.
    pub flip: Flip,
    /// Pixels by which training images are shifted at most.
    pub crop: usize,
    /// Side of the square that is cut out of training images; 0 for none.
    pub cutout: usize,
    /// New order of the images in every epoch, or file order in all of them.
    pub shuffle: bool,
    /// What every random number of the run follows from.
    pub seed: u64,
    /// How parameters follow their gradients.
    pub optimizer: Optimizer,
    /// Which parameters are trained otherwise than the rest, and how.
    pub groups: Groups,
    /// Learning rate of the first step (or the peak, where a schedule warms up).
    pub learning_rate: f32,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Steps or epochs over which the schedule is laid out; nothing for those of the run.
    pub schedule_steps: Option<Interval>,
    /// How often the step schedule lowers the learning rate, in steps or epochs.
    pub step_every: Option<Interval>,
    /// What the step schedule multiplies it by.
    pub step_factor: f32,
    /// How long the learning rate rises from zero.
    pub warmup: Warmup,
    /// Largest norm of all gradients together; larger ones are scaled down to it.
    pub clip_norm: Option<f32>,
    /// Share of the training target that all classes have alike, 0 to below 1. Only training's loss has it.
    pub label_smoothing: f32,
    /// How much of the running averages of the parameters, with which the model is measured and saved, is kept in a step;
    /// nothing where the parameters themselves are.
    pub ema: Option<f32>,
    /// `l2 / 2` times the squared norm of all weights is added to the loss.
    pub l2: f32,
    /// What the run is validated on while it trains.
    pub validation: Validation,
    /// The figure that the best epoch and patience go by.
    pub monitor: Monitor,
    /// Epochs without improvement after which to stop.
    pub patience: Option<usize>,
    /// How often a checkpoint is saved. Changes no result.
    pub checkpoint_every: Interval,
    /// Whether the best epoch's checkpoint is kept beside the last two. Changes no result.
    pub keep_best: bool,
}

impl Config {
    /// Optimizer steps of a full epoch over `images` training images, of which there is at least
    /// one.
    pub fn steps_per_epoch(&self, images: usize) -> usize {
        images.div_ceil(self.batch_size.min(images))
    }

    /// Optimizer steps of the run, unless it loses its patience.
    pub fn steps(&self, steps_per_epoch: usize) -> usize {
        let epochs = self.epochs.saturating_mul(steps_per_epoch);
        self.max_steps.map_or(epochs, |most| most.min(epochs))
    }

    /// The learning rate of every step of the run, whose full epochs have `steps_per_epoch` steps.
    pub fn learning_rates(&self, steps_per_epoch: usize) -> LearningRate {
        let of_epochs = |epochs: usize| epochs.saturating_mul(steps_per_epoch);
        // Minutes were refused when the configuration was resolved.
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

    /// What becomes of training images.
    pub fn augmentation(&self) -> Augmentation {
        let &Config { seed, flip, crop, cutout, .. } = self;
        Augmentation { seed, flip, crop, cutout }
    }

    /// What a folder of pictures is to become.
    pub fn pictures(&self) -> pictures::Wanted {
        let size = self.image_size.map_or(pictures::Size::Found, pictures::Size::Side);
        pictures::Wanted { size, resize: self.resize, ..pictures::Wanted::default() }
    }
}

/// Where the first weights come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Init {
    /// A rule, seeded.
    Rule(InitRule),
    /// A model file, or the folder of a run or of a checkpoint that has one: names and shapes must
    /// match the model's.
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
