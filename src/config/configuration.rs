//! The configuration of a run, resolved and validated.

use serde::{Serialize, Serializer};

use super::choices::{Init, Monitor, Validation};
use super::convert::Field;
use super::interval::Interval;
use super::key::Key;
use super::settings::Settings;
use crate::augmentation::{Augmentation, Flip};
use crate::data::Normalize;
use crate::data::pictures::{self, Resize};
use crate::optim::{Groups, LearningRate, Optimizer, Schedule, Warmup};
use crate::tensor::Precision;

/// Declares [`Config`]: its fields, each with the key that sets it.
macro_rules! config {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $key:ident;)+) => {
        /// Everything that the result of a training run depends on, resolved and validated.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Config {
            $($(#[$doc])* pub $field: $type,)+
        }

        impl Config {
            /// Builds the configuration from `settings`.
            ///
            /// # Panics
            /// Panics if a key that has a default is missing.
            pub(super) fn from_settings(settings: &Settings) -> Self {
                Config { $($field: Field::read(settings, Key::$key),)+ }
            }

            /// Returns each value under its key, as if all had been given on the command line.
            pub fn to_settings(&self) -> Settings {
                let mut settings = Settings::default();
                $(self.$field.write(&mut settings, Key::$key);)+
                // The key is rejected without its schedule.
                settings.filter(|key| key != Key::StepFactor || self.schedule == Schedule::Step)
            }
        }
    };
}

config! {
    /// Name of the preset that the configuration started from.
    preset: String = Preset;
    /// Name of a known data set, or a folder. Empty if none was given; the run then has nothing to
    /// train on.
    data: String = Data;
    /// Side of the square training images in pixels, for image folders. `None` derives it from the
    /// pictures.
    image_size: Option<usize> = ImageSize;
    /// How pictures are brought to the training size.
    resize: Resize = Resize;
    /// How pixels are normalised.
    normalize: Normalize = Normalize;
    /// Layers joined by commas: `linear:128,relu,linear:10`.
    model: String = Model;
    /// Initial weights.
    init: Init = Init;
    /// Precision of activations and gradients.
    precision: Precision = Precision;
    /// Passes over the training images.
    epochs: usize = Epochs;
    /// Number of optimizer steps after which to stop, even in the middle of an epoch.
    max_steps: Option<usize> = MaxSteps;
    /// Images per step.
    batch_size: usize = BatchSize;
    /// Horizontal flips of training images.
    flip: Flip = Flip;
    /// Largest random shift of training images, in pixels.
    crop: usize = Crop;
    /// Side of the square that is masked in training images; 0 for none.
    cutout: usize = Cutout;
    /// Whether the images are shuffled in every epoch. If not, they are taken in file order.
    shuffle: bool = Shuffle;
    /// Random seed of the run.
    seed: u64 = Seed;
    /// Optimizer, with its hyperparameters.
    optimizer: Optimizer = Optimizer;
    /// Parameter groups: overrides for some parameters.
    groups: Groups = Groups;
    /// Learning rate of the first step (or the peak, where a schedule warms up).
    learning_rate: f32 = Lr;
    /// Learning rate schedule.
    schedule: Schedule = Schedule;
    /// Length of the schedule in steps or epochs; `None` for the length of the run.
    schedule_steps: Option<Interval> = ScheduleSteps;
    /// Interval, in steps or epochs, at which the step schedule lowers the learning rate.
    step_every: Option<Interval> = StepEvery;
    /// Factor by which the step schedule multiplies the learning rate.
    step_factor: f32 = StepFactor;
    /// Length of the warm-up, in which the learning rate rises from zero.
    warmup: Warmup = Warmup;
    /// Largest global norm of the gradients. Gradients with a larger norm are scaled down to it.
    clip_norm: Option<f32> = ClipNorm;
    /// Label smoothing, from 0 up to (not including) 1. It applies to the training loss only.
    label_smoothing: f32 = LabelSmoothing;
    /// Decay of the exponential moving average of the parameters. If it is set, the averages are
    /// evaluated and saved instead of the parameters themselves.
    ema: Option<f32> = Ema;
    /// L2 penalty: `l2 / 2` times the squared norm of all weights is added to the loss.
    l2: f32 = L2;
    /// The images that the run is validated on.
    validation: Validation = Validation;
    /// The metric that decides the best epoch and early stopping.
    monitor: Monitor = Monitor;
    /// Early stopping: number of epochs without improvement after which to stop.
    patience: Option<usize> = Patience;
    /// How often a checkpoint is saved. It does not affect the results.
    checkpoint_every: Interval = CheckpointEvery;
    /// Whether to keep the best epoch's checkpoint in addition to the last two. It does not affect
    /// the results.
    keep_best: bool = KeepBest;
}

/// The defaults of all keys, without a preset, data or layers.
impl Default for Config {
    fn default() -> Self {
        Config::from_settings(&Settings::defaults())
    }
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

    /// As a TOML file that gives the same configuration when it is read as a
    /// [`ConfigFile`](super::ConfigFile).
    pub fn to_toml(&self) -> String {
        let head = "# The complete configuration of a run: `shadegrad train --config` takes it.\n";
        format!("{head}{}", self.to_settings().to_toml())
    }

    /// Returns how the pictures of a folder are to be loaded.
    pub fn pictures(&self) -> pictures::Wanted {
        let size = self.image_size.map_or(pictures::Size::Found, pictures::Size::Side);
        pictures::Wanted { size, resize: self.resize, ..pictures::Wanted::default() }
    }
}

/// Serializes as an object with the keys of a configuration file.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_settings().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;
    use crate::config::resolve::tests::resolve_file;
    use crate::config::{Origin, Sources, resolve};
    use crate::nn::InitRule;
    use crate::optim::Place;

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

    #[test]
    fn awkward_values_come_back_from_their_own_text() {
        let names = ["plain", "with \"quotes\" and \\ and\nlines", "Größe/图片", "#no comment"];
        let numbers = [f32::MIN_POSITIVE, 1e-45, 0.1, 1.0 / 3.0, 16_777_217.0, 3.4e38, f32::MAX];
        let others = names.iter().cycle().zip(Normalize::ALL.iter().cycle());
        for (index, (&number, (&name, &normalize))) in numbers.iter().zip(others).enumerate() {
            let mut optimizer = Optimizer::all().nth(index % Optimizer::NAMES.len()).expect("it is one");
            for own in optimizer.hyperparameters() {
                match (own.of)(&mut optimizer) {
                    Place::Number(place) if number < 1.0 => *place = number,
                    Place::Number(place) => *place = 1.0 - f32::EPSILON,
                    Place::Switch(on) => *on = !*on,
                }
            }
            let schedule = Schedule::ALL[index % Schedule::ALL.len()];
            let is_step = schedule == Schedule::Step;
            let config = Config {
                preset: "lab-cifar10".into(),
                data: name.into(),
                image_size: (index % 2 == 0).then_some(index + 1),
                resize: Resize::ALL[index % Resize::ALL.len()],
                normalize,
                model: "linear:7,relu".into(),
                init: match index % 2 {
                    0 => Init::Rule(InitRule::ALL[index % InitRule::ALL.len()]),
                    _ => Init::File(format!("{name}.safetensors").into()),
                },
                precision: Precision::ALL[index % 2],
                epochs: u32::MAX as usize,
                max_steps: (index % 3 == 0).then_some(index + 1),
                batch_size: index + 1,
                flip: Flip::ALL[index % 3],
                crop: index,
                cutout: 2 * index,
                shuffle: index % 2 == 0,
                seed: u64::MAX - index as u64,
                optimizer,
                groups: match index % 2 {
                    0 => Groups::parse(&format!(
                        "biases optimizer=sgd lr={number:?} momentum=0.5, 0.weight decay=0 until={number:?}"
                    ))
                    .expect("they are rules"),
                    _ => Groups::default(),
                },
                learning_rate: number,
                schedule,
                schedule_steps: [None, Some(Interval::Steps(9)), Some(Interval::Epochs(3))][index % 3],
                step_every: is_step.then_some(Interval::Epochs(3)),
                step_factor: 0.1,
                warmup: [Warmup::Share(1.0 - f32::EPSILON), Warmup::Steps(2), Warmup::Epochs(3)][index % 3],
                clip_norm: (index % 2 == 1).then_some(number),
                label_smoothing: 0.1,
                ema: (index % 2 == 0).then_some(1.0 - f32::EPSILON),
                l2: number,
                validation: [Validation::None, Validation::Share(0.1), Validation::Test][index % 3],
                monitor: Monitor::ALL[index % 2],
                patience: (index % 3 > 0).then_some(index),
                checkpoint_every: [Interval::Steps(7), Interval::Epochs(2), Interval::Minutes(10)][index % 3],
                keep_best: index % 2 == 1,
            };
            let text = config.to_toml();
            assert_eq!(resolve_file(&text).unwrap_or_else(|error| panic!("{error}\n{text}")).config, config);
        }
    }
}
