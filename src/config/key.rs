//! The table of all settings: name, kind of value, default and help.

use std::borrow::Cow;

use super::choices::{Monitor, Validation};
use super::kind::Kind::{
    self, Choice, ChoiceOrFile, Count, CountOrZero, FractionOrChoice, FractionOrTime, Groups, Interval,
    Number, OrAuto, Switch, Text, Whole,
};
use super::preset_list;
use crate::augmentation::Flip;
use crate::data::{Normalize, Resize};
use crate::nn::InitRule;
use crate::optim::{Hyperparameter, Optimizer, Place, Schedule};
use crate::tensor::Precision;
use crate::text::bounds::Bounds;

/// Declares the keys: name in files, kind of value, default and help, which is the documentation.
macro_rules! keys {
    ($($key:ident: $name:literal, $kind:expr, $default:expr, $help:literal;)+) => {
        /// A setting: a flag of `train` and a key of a TOML file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $(#[doc = $help] $key,)+
        }

        impl Key {
            /// All keys, in the order of files and help.
            pub const ALL: [Key; [$(Key::$key,)+].len()] = [$(Key::$key,)+];

            /// The name in files, and of the flag.
            pub fn name(self) -> &'static str {
                match self {
                    $(Key::$key => $name,)+
                }
            }

            /// Returns the kind of the key's values.
            pub fn kind(self) -> Kind {
                match self {
                    $(Key::$key => $kind,)+
                }
            }

            /// Returns the value that applies where nothing else sets one, as it is written on the
            /// command line. Switches have theirs in their kind.
            pub(super) fn default(self) -> Option<&'static str> {
                match self {
                    $(Key::$key => $default,)+
                }
            }

            /// Returns what the key sets. A switch has that of its non-default setting.
            fn purpose(self) -> &'static str {
                match self {
                    $(Key::$key => $help,)+
                }
            }
        }
    };
}

keys! {
    Preset: "preset", Choice(&preset_list::NAMES), None,
        "Start from the values of a preset";
    Data: "data", Text, None,
        "Data set to train on: a known name or a folder of images";
    DataDir: "data-dir", Text, None,
        "Look for known data sets only in this folder";
    ImageSize: "image-size", Count, None,
        "Resize images to N x N pixels (image folders only)";
    Resize: "resize", Choice(&Resize::NAMES), Some("crop"),
        "How to bring images to the training size";
    Normalize: "normalize", Choice(&Normalize::NAMES), Some("unit"),
        "Scale pixels to 0..1 (unit), or to mean 0 and standard deviation 1 (standard)";
    Model: "model", OrAuto(&Text), None,
        "Layers joined by commas, for example linear:128,relu,linear:10; `auto` chooses them for the image size";
    Init: "init", ChoiceOrFile(&InitRule::NAMES), Some("he"),
        "Weight initialisation, or a .safetensors file or run to start from";
    Precision: "precision", Choice(&Precision::NAMES), Some("f32"),
        "Precision of activations and gradients; f16 halves their memory on GPUs that support it";
    Epochs: "epochs", OrAuto(&Count), Some("10"),
        "Passes over the training images; `auto` depends on their number";
    MaxSteps: "max-steps", Count, None,
        "Stop after N optimizer steps, even in the middle of an epoch";
    BatchSize: "batch-size", OrAuto(&Count), Some("64"),
        "Images per step; `auto` depends on the number of training images";
    Flip: "flip", Choice(&Flip::NAMES), Some("none"),
        "Flip training images horizontally: at random, or each one in alternating epochs";
    Crop: "crop", OrAuto(&CountOrZero), Some("0"),
        "Random crop with N pixels of reflect padding; `auto` is an eighth of the shorter side";
    Cutout: "cutout", CountOrZero, Some("0"),
        "Cutout: mask a random N x N square in training images";
    Shuffle: "shuffle", Switch { usual: true, off: "no-shuffle" }, None,
        "Do not shuffle: take the images in file order in every epoch";
    Seed: "seed", Whole, Some("0"),
        "Random seed";
    Optimizer: "optimizer", Choice(&Optimizer::NAMES), Some("sgd"),
        "Optimizer";
    Lr: "lr", Number(Bounds::Positive), Some("0.01"),
        "Learning rate of the first step, or the peak of a schedule with warm-up";
    Momentum: "momentum", Number(Bounds::BelowOne), Some("0.0"),
        "Momentum";
    Nesterov: "nesterov", Switch { usual: false, off: "no-nesterov" }, None,
        "Use Nesterov momentum";
    WeightDecay: "weight-decay", Number(Bounds::NotNegative), Some("0.0"),
        "Weight decay of all parameters, biases included";
    Groups: "groups", Groups, None,
        "Override lr (as a factor), decay, until or momentum for some parameters: \"biases lr=2 decay=0, 3 lr=0\"";
    Beta1: "beta1", Number(Bounds::BelowOne), None,
        "Decay rate of the first moment";
    Beta2: "beta2", Number(Bounds::BelowOne), None,
        "Decay rate of the second moment, or of the momentum of lion";
    Epsilon: "epsilon", Number(Bounds::Positive), None,
        "Term added to the denominator for stability";
    ClipNorm: "clip-norm", OrAuto(&Number(Bounds::Positive)), None,
        "Clip gradients to this global norm; `auto`: only for smaller batches or larger images than the preset's";
    LabelSmoothing: "label-smoothing", Number(Bounds::BelowOne), Some("0.0"),
        "Label smoothing (0 <= X < 1)";
    Ema: "ema", Number(Bounds::BelowOne), None,
        "Evaluate and save an exponential moving average of the parameters with this decay (for example 0.999)";
    L2: "l2", Number(Bounds::NotNegative), Some("0.0"),
        "L2 penalty: add X/2 times the sum of squares of all weights to the loss";
    Schedule: "schedule", Choice(&Schedule::NAMES), Some("constant"),
        "Learning rate schedule";
    ScheduleSteps: "schedule-steps", Interval, None,
        "Length of the schedule in steps (5000) or epochs (20e), if it differs from the run's";
    StepEvery: "step-every", Interval, None,
        "Interval at which the step schedule lowers the learning rate: steps (500) or epochs (30e)";
    StepFactor: "step-factor", Number(Bounds::Fraction), Some("0.1"),
        "Factor by which the step schedule multiplies the learning rate";
    Warmup: "warmup", FractionOrTime, Some("0.0"),
        "Warm-up of the learning rate: a fraction of the schedule (0.1), steps (500) or epochs (2e)";
    Validation: "validation", FractionOrChoice(&Validation::NAMES), Some("0.0"),
        "Fraction of the training images to hold out for validation, or `test` to validate on the test images";
    Monitor: "monitor", Choice(&Monitor::NAMES), Some("accuracy"),
        "Metric that decides which epoch is best; the other one breaks ties";
    Patience: "patience", Count, None,
        "Early stopping: stop after N epochs without improvement; needs validation images";
    CheckpointEvery: "checkpoint-every", Interval, Some("1e"),
        "Save a checkpoint every N steps (500), epochs (2e) or minutes (10m)";
    KeepBest: "keep-best", Switch { usual: true, off: "no-keep-best" }, None,
        "Keep only the last two checkpoints, not the one of the best epoch";
    Device: "device", Text, Some("auto"),
        "Device to train on: auto, cpu, gpu, an index or part of a name";
    Tune: "tune", Switch { usual: true, off: "no-tune" }, None,
        "Pick GPU kernels by heuristics instead of benchmarking them first";
    Out: "out", Text, None,
        "Write the run to this folder instead of a new one in runs/";
}

impl Key {
    /// Returns the key with this name.
    pub fn named(name: &str) -> Option<Key> {
        Key::ALL.into_iter().find(|key| key.name() == name)
    }

    /// Returns the environment variable that sets the key, if there is one.
    pub fn environment(self) -> Option<&'static str> {
        match self {
            Key::DataDir => Some(crate::data::locate::ENVIRONMENT_VARIABLE),
            Key::Device => Some("SHADEGRAD_DEVICE"),
            _ => None,
        }
    }

    /// Returns the key of an optimizer's hyperparameter, which has the same name.
    pub(crate) fn of_hyperparameter(hyperparameter: &Hyperparameter) -> Key {
        Key::named(hyperparameter.name).expect("every hyperparameter has a key")
    }

    /// Returns the help of the flag, in one line: what it sets and, for a hyperparameter, for which
    /// optimizers. The help of a switch describes the non-default setting.
    pub fn help(self) -> Cow<'static, str> {
        let names = |optimizers: &mut dyn Iterator<Item = Optimizer>| {
            optimizers.map(Optimizer::name).collect::<Vec<_>>().join(", ")
        };
        let purpose = self.purpose();
        match Hyperparameter::named(self.name()) {
            None => purpose.into(),
            Some(_) if self == Key::WeightDecay => {
                let decoupled = names(&mut Optimizer::all().filter(|one| one.is_decoupled()));
                format!("{purpose}: L2, or decoupled with {decoupled}").into()
            }
            Some(own) => {
                let default = if self.default().is_none() { defaults(own) } else { String::new() };
                format!("{purpose} ({}){default}", names(&mut own.optimizers())).into()
            }
        }
    }

    /// Whether the result of a run depends on the key. Keys that only name places or devices do not
    /// count.
    pub fn is_of_config(self) -> bool {
        !matches!(self, Key::DataDir | Key::Device | Key::Tune | Key::Out)
    }
}

/// Describes the defaults of a number that differ between optimizers: ` [default: 0.999, lion
/// 0.99]`.
fn defaults(own: Hyperparameter) -> String {
    let number = |optimizer: Optimizer| match (own.of)(&mut { optimizer }) {
        Place::Number(number) => Some((optimizer.name(), *number)),
        Place::Switch(_) => None,
    };
    let mut defaults = own.optimizers().filter_map(number);
    let Some((_, usual)) = defaults.next() else { return String::new() };
    let exceptions = defaults.filter(|(_, number)| *number != usual);
    let exceptions: String = exceptions.map(|(name, number)| format!(", {name} {number:?}")).collect();
    format!(" [default: {usual:?}{exceptions}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_name() {
        for key in Key::ALL {
            assert_eq!(Key::named(key.name()), Some(key));
        }
        for hyperparameter in &Hyperparameter::ALL {
            assert_eq!(Key::of_hyperparameter(hyperparameter).name(), hyperparameter.name);
        }
        assert_eq!(Key::named("batch_size"), None);
    }
}
