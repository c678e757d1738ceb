//! The table of all settings: name, help, kind of value and allowed values.

use super::choices::{Monitor, Validation};
use super::kind::Kind;
use super::preset_list;
use crate::augmentation::Flip;
use crate::data::Normalize;
use crate::data::pictures::Resize;
use crate::nn::InitRule;
use crate::optim::{Optimizer, Schedule};
use crate::tensor::Precision;
use crate::text::bounds::Bounds;

/// A setting: a flag of `train` and a key of a TOML file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Preset whose values apply unless something else overrides them.
    Preset,
    /// Data set to train on.
    Data,
    /// Folder of known data sets.
    DataDir,
    /// Side of the training images, for image folders.
    ImageSize,
    /// How images are brought to the training size.
    Resize,
    /// How pixels are normalised.
    Normalize,
    /// Layers of the model.
    Model,
    /// Initial weights.
    Init,
    /// Precision of activations and gradients.
    Precision,
    /// Passes over the training images.
    Epochs,
    /// Number of optimizer steps after which to stop.
    MaxSteps,
    /// Images per step.
    BatchSize,
    /// Horizontal flips of training images.
    Flip,
    /// Largest random shift of training images, in pixels.
    Crop,
    /// Side of the square that is masked in training images.
    Cutout,
    /// Whether the images are shuffled in every epoch.
    Shuffle,
    /// Random seed.
    Seed,
    /// Optimizer.
    Optimizer,
    /// Learning rate.
    Lr,
    /// Momentum of SGD and Muon.
    Momentum,
    /// Whether to use Nesterov momentum.
    Nesterov,
    /// Weight decay of the optimizer.
    WeightDecay,
    /// Parameter groups: overrides for some parameters.
    Groups,
    /// Decay rate of the first moment in Adam and Lion.
    Beta1,
    /// Decay rate of the second moment in Adam, or of the momentum in Lion.
    Beta2,
    /// Term that keeps Adam from dividing by zero.
    Epsilon,
    /// Largest global norm of the gradients.
    ClipNorm,
    /// Label smoothing.
    LabelSmoothing,
    /// Decay of the exponential moving average of the parameters.
    Ema,
    /// L2 penalty that is added to the loss.
    L2,
    /// Learning rate schedule.
    Schedule,
    /// Length of the schedule in steps or epochs.
    ScheduleSteps,
    /// How often the step schedule lowers the learning rate.
    StepEvery,
    /// Factor by which the step schedule multiplies the learning rate.
    StepFactor,
    /// Length of the learning rate's warm-up.
    Warmup,
    /// Images that the run is validated on.
    Validation,
    /// Metric that decides the best epoch and early stopping.
    Monitor,
    /// Number of epochs without improvement after which to stop.
    Patience,
    /// How often a checkpoint is saved.
    CheckpointEvery,
    /// Whether the best epoch's checkpoint is kept.
    KeepBest,
    /// Device to train on.
    Device,
    /// Whether to benchmark GPU kernels and use the fastest.
    Tune,
    /// Folder to which the run is written.
    Out,
}

const NORMALIZATIONS: [&str; 2] = [Normalize::ALL[0].name(), Normalize::ALL[1].name()];
const MONITORS: [&str; 2] = [Monitor::ALL[0].name(), Monitor::ALL[1].name()];
const PRECISIONS: [&str; 2] = [Precision::ALL[0].name(), Precision::ALL[1].name()];
const FLIPS: [&str; 3] = [Flip::ALL[0].name(), Flip::ALL[1].name(), Flip::ALL[2].name()];

const RESIZES: [&str; 3] = [Resize::ALL[0].name(), Resize::ALL[1].name(), Resize::ALL[2].name()];
const SCHEDULES: [&str; 6] = {
    let mut names = [""; 6];
    let mut index = 0;
    while index < names.len() {
        names[index] = Schedule::ALL[index].name();
        index += 1;
    }
    names
};
const INIT_RULES: [&str; 5] = [
    InitRule::ALL[0].name(),
    InitRule::ALL[1].name(),
    InitRule::ALL[2].name(),
    InitRule::ALL[3].name(),
    InitRule::ALL[4].name(),
];

impl Key {
    /// All keys, in the order of files and help.
    pub const ALL: [Key; 43] = [
        Key::Preset,
        Key::Data,
        Key::DataDir,
        Key::ImageSize,
        Key::Resize,
        Key::Normalize,
        Key::Model,
        Key::Init,
        Key::Precision,
        Key::Epochs,
        Key::MaxSteps,
        Key::BatchSize,
        Key::Flip,
        Key::Crop,
        Key::Cutout,
        Key::Shuffle,
        Key::Seed,
        Key::Optimizer,
        Key::Lr,
        Key::Momentum,
        Key::Nesterov,
        Key::WeightDecay,
        Key::Groups,
        Key::Beta1,
        Key::Beta2,
        Key::Epsilon,
        Key::ClipNorm,
        Key::LabelSmoothing,
        Key::Ema,
        Key::L2,
        Key::Schedule,
        Key::ScheduleSteps,
        Key::StepEvery,
        Key::StepFactor,
        Key::Warmup,
        Key::Validation,
        Key::Monitor,
        Key::Patience,
        Key::CheckpointEvery,
        Key::KeepBest,
        Key::Device,
        Key::Tune,
        Key::Out,
    ];

    /// The name in files. With two leading dashes, it is the flag.
    pub fn name(self) -> &'static str {
        match self {
            Key::Preset => "preset",
            Key::Data => "data",
            Key::DataDir => "data-dir",
            Key::ImageSize => "image-size",
            Key::Resize => "resize",
            Key::Normalize => "normalize",
            Key::Model => "model",
            Key::Init => "init",
            Key::Precision => "precision",
            Key::Epochs => "epochs",
            Key::MaxSteps => "max-steps",
            Key::BatchSize => "batch-size",
            Key::Flip => "flip",
            Key::Crop => "crop",
            Key::Cutout => "cutout",
            Key::Shuffle => "shuffle",
            Key::Seed => "seed",
            Key::Optimizer => "optimizer",
            Key::Lr => "lr",
            Key::Momentum => "momentum",
            Key::Nesterov => "nesterov",
            Key::WeightDecay => "weight-decay",
            Key::Groups => "groups",
            Key::Beta1 => "beta1",
            Key::Beta2 => "beta2",
            Key::Epsilon => "epsilon",
            Key::ClipNorm => "clip-norm",
            Key::LabelSmoothing => "label-smoothing",
            Key::Ema => "ema",
            Key::L2 => "l2",
            Key::Schedule => "schedule",
            Key::ScheduleSteps => "schedule-steps",
            Key::StepEvery => "step-every",
            Key::StepFactor => "step-factor",
            Key::Warmup => "warmup",
            Key::Validation => "validation",
            Key::Monitor => "monitor",
            Key::Patience => "patience",
            Key::CheckpointEvery => "checkpoint-every",
            Key::KeepBest => "keep-best",
            Key::Device => "device",
            Key::Tune => "tune",
            Key::Out => "out",
        }
    }

    /// Returns the key with this name.
    pub fn named(name: &str) -> Option<Key> {
        Key::ALL.into_iter().find(|key| key.name() == name)
    }

    /// Returns the kind of the key's values.
    pub fn kind(self) -> Kind {
        match self {
            Key::Data | Key::DataDir | Key::Device | Key::Out => Kind::Text,
            Key::Model => Kind::OrAuto(&Kind::Text),
            Key::Preset => Kind::Choice(&preset_list::NAMES),
            Key::Resize => Kind::Choice(&RESIZES),
            Key::Normalize => Kind::Choice(&NORMALIZATIONS),
            Key::Init => Kind::ChoiceOrFile(&INIT_RULES),
            Key::Precision => Kind::Choice(&PRECISIONS),
            Key::ImageSize | Key::MaxSteps | Key::Patience => Kind::Count,
            Key::Epochs | Key::BatchSize => Kind::OrAuto(&Kind::Count),
            Key::Flip => Kind::Choice(&FLIPS),
            Key::Crop => Kind::OrAuto(&Kind::CountOrZero),
            Key::Cutout => Kind::CountOrZero,
            Key::Shuffle => Kind::Switch { usual: true, off: "no-shuffle" },
            Key::Nesterov => Kind::Switch { usual: false, off: "no-nesterov" },
            Key::Tune => Kind::Switch { usual: true, off: "no-tune" },
            Key::Seed => Kind::Whole,
            Key::Optimizer => Kind::Choice(&Optimizer::NAMES),
            Key::Lr | Key::Epsilon => Kind::Number(Bounds::Positive),
            Key::ClipNorm => Kind::OrAuto(&Kind::Number(Bounds::Positive)),
            Key::Momentum | Key::Beta1 | Key::Beta2 | Key::LabelSmoothing | Key::Ema => {
                Kind::Number(Bounds::BelowOne)
            }
            Key::WeightDecay | Key::L2 => Kind::Number(Bounds::NotNegative),
            Key::Schedule => Kind::Choice(&SCHEDULES),
            Key::StepFactor => Kind::Number(Bounds::Fraction),
            Key::Warmup => Kind::ShareOrTime,
            Key::Groups => Kind::Groups,
            Key::Validation => Kind::ShareOrChoice(&Validation::NAMES),
            Key::Monitor => Kind::Choice(&MONITORS),
            Key::CheckpointEvery | Key::StepEvery | Key::ScheduleSteps => Kind::Interval,
            Key::KeepBest => Kind::Switch { usual: true, off: "no-keep-best" },
        }
    }

    /// Returns the help of the flag, in one line. The help of a switch describes the non-default
    /// setting.
    pub fn help(self) -> &'static str {
        match self {
            Key::Preset => "Start from the values of a preset",
            Key::Data => "Data set to train on: a known name or a folder of images",
            Key::DataDir => "Look for known data sets only in this folder",
            Key::ImageSize => "Resize images to N x N pixels (image folders only)",
            Key::Resize => "How to bring images to the training size",
            Key::Normalize => "Scale pixels to 0..1 (unit), or to mean 0 and standard deviation 1 (standard)",
            Key::Model => {
                "Layers joined by commas, for example linear:128,relu,linear:10; `auto` chooses them for the image size"
            }
            Key::Init => "Weight initialisation, or a .safetensors file or run to start from",
            Key::Precision => {
                "Precision of activations and gradients; f16 halves their memory on GPUs that support it"
            }
            Key::Epochs => "Passes over the training images; `auto` depends on their number",
            Key::MaxSteps => "Stop after N optimizer steps, even in the middle of an epoch",
            Key::BatchSize => "Images per step; `auto` depends on the number of training images",
            Key::Flip => "Flip training images horizontally: at random, or each one in alternating epochs",
            Key::Crop => {
                "Random crop with N pixels of reflect padding; `auto` is an eighth of the shorter side"
            }
            Key::Cutout => "Cutout: mask a random N x N square in training images",
            Key::Shuffle => "Do not shuffle: take the images in file order in every epoch",
            Key::Seed => "Random seed",
            Key::Optimizer => "Optimizer",
            Key::Lr => "Learning rate of the first step, or the peak of a schedule with warm-up",
            Key::Momentum => "Momentum (0 <= X < 1)",
            Key::Nesterov => "Use Nesterov momentum",
            Key::WeightDecay => {
                "Weight decay of all parameters, biases included: L2, or decoupled with adamw and lion"
            }
            Key::Groups => {
                "Override lr (as a factor), decay, until or momentum for some parameters: \"biases lr=2 decay=0, 3 lr=0\""
            }
            Key::Beta1 => "Decay rate of the first moment (adam, adamw, lion) [default: 0.9]",
            Key::Beta2 => {
                "Decay rate of the second moment (adam, adamw) or the momentum (lion) [default: 0.999, lion 0.99]"
            }
            Key::Epsilon => "Term added to the denominator for stability (adam, adamw) [default: 1e-8]",
            Key::ClipNorm => {
                "Clip gradients to this global norm; `auto`: only for smaller batches or larger images than the preset's"
            }
            Key::LabelSmoothing => "Label smoothing (0 <= X < 1)",
            Key::Ema => {
                "Evaluate and save an exponential moving average of the parameters with this decay (for example 0.999)"
            }
            Key::L2 => "L2 penalty: add X/2 times the sum of squares of all weights to the loss",
            Key::Schedule => "Learning rate schedule",
            Key::ScheduleSteps => {
                "Length of the schedule in steps (5000) or epochs (20e), if it differs from the run's"
            }
            Key::StepEvery => {
                "Interval at which the step schedule lowers the learning rate: steps (500) or epochs (30e)"
            }
            Key::StepFactor => "Factor by which the step schedule multiplies the learning rate",
            Key::Warmup => {
                "Warm-up of the learning rate: a fraction of the schedule (0.1), steps (500) or epochs (2e)"
            }
            Key::Validation => {
                "Fraction of the training images to hold out for validation, or `test` to validate on the test images"
            }
            Key::Monitor => "Metric that decides which epoch is best; the other one breaks ties",
            Key::Patience => {
                "Early stopping: stop after N epochs without improvement; needs validation images"
            }
            Key::CheckpointEvery => "Save a checkpoint every N steps (500), epochs (2e) or minutes (10m)",
            Key::KeepBest => "Keep only the last two checkpoints, not the one of the best epoch",
            Key::Device => "Device to train on: auto, cpu, gpu, an index or part of a name",
            Key::Tune => "Pick GPU kernels by heuristics instead of benchmarking them first",
            Key::Out => "Write the run to this folder instead of a new one in runs/",
        }
    }

    /// Returns the environment variable that sets the key, if there is one.
    pub fn environment(self) -> Option<&'static str> {
        match self {
            Key::DataDir => Some(crate::data::locate::ENVIRONMENT_VARIABLE),
            Key::Device => Some("SHADEGRAD_DEVICE"),
            _ => None,
        }
    }

    /// Whether the result of a run depends on the key. Keys that only name places or devices do not
    /// count.
    pub fn is_of_config(self) -> bool {
        !matches!(self, Key::DataDir | Key::Device | Key::Tune | Key::Out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_name() {
        for key in Key::ALL {
            assert_eq!(Key::named(key.name()), Some(key));
        }
        assert_eq!(Key::named("batch_size"), None);
    }
}
