//! The one table of what can be set: name, help, kind of value and what is allowed.

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

/// Something that can be set, as a flag of `train` and as a line of a TOML file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Whose values hold where nothing else is said.
    Preset,
    /// What is trained on.
    Data,
    /// Where known data sets are.
    DataDir,
    /// Side of the images that pictures become.
    ImageSize,
    /// What becomes of pictures of another size.
    Resize,
    /// How pixels become the model's input.
    Normalize,
    /// The layers.
    Model,
    /// Where the first weights come from.
    Init,
    /// In how many bits layers hand floats on.
    Precision,
    /// Passes over the training images.
    Epochs,
    /// Optimizer steps after which to stop.
    MaxSteps,
    /// Images per step.
    BatchSize,
    /// How training images are mirrored.
    Flip,
    /// Pixels by which they are shifted at most.
    Crop,
    /// Side of the square that is cut out of them.
    Cutout,
    /// Whether each epoch has an order of its own.
    Shuffle,
    /// What every random number follows from.
    Seed,
    /// How parameters follow their gradients.
    Optimizer,
    /// Learning rate.
    Lr,
    /// How much of the running mean of gradients is kept.
    Momentum,
    /// Whether momentum looks ahead.
    Nesterov,
    /// The optimizer's decay.
    WeightDecay,
    /// Parameters that are trained otherwise.
    Groups,
    /// How much of the running mean of gradients an adaptive optimizer keeps.
    Beta1,
    /// How much of the second running mean it keeps.
    Beta2,
    /// What keeps Adam from dividing by zero.
    Epsilon,
    /// Largest norm of all gradients together.
    ClipNorm,
    /// Share of the target that all classes have alike.
    LabelSmoothing,
    /// How much of the parameters' running averages is kept.
    Ema,
    /// The loss's penalty.
    L2,
    /// How the learning rate changes.
    Schedule,
    /// Steps or epochs over which the schedule is laid out.
    ScheduleSteps,
    /// How often the step schedule lowers it.
    StepEvery,
    /// What the step schedule multiplies it by.
    StepFactor,
    /// How long the learning rate rises.
    Warmup,
    /// What the run is validated on while it trains.
    Validation,
    /// The figure that the best epoch and patience go by.
    Monitor,
    /// Epochs without improvement after which to stop.
    Patience,
    /// How often a checkpoint is saved.
    CheckpointEvery,
    /// Whether the best epoch's checkpoint is kept.
    KeepBest,
    /// What trains.
    Device,
    /// Whether a GPU finds out which kernels are fastest.
    Tune,
    /// Where the run is recorded.
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
    /// All keys, in the order in which files and help list them.
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

    /// As in files; behind two dashes, the flag.
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

    /// The key of that name.
    pub fn named(name: &str) -> Option<Key> {
        Key::ALL.into_iter().find(|key| key.name() == name)
    }

    /// What its values are.
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

    /// What its flag does, in one line. That of a switch says what the unusual setting does.
    pub fn help(self) -> &'static str {
        match self {
            Key::Preset => "Start from this preset's values",
            Key::Data => "Train on a known data set or on a folder",
            Key::DataDir => "Look for known data sets here only",
            Key::ImageSize => "Side of the images that pictures become, where they are read from a folder",
            Key::Resize => "What becomes of pictures of another size",
            Key::Normalize => "Scale pixels to 0..1, or to mean 0 and standard deviation 1",
            Key::Model => {
                "Layers joined by commas, for example linear:128,relu,linear:10; `auto` fits them to the image size"
            }
            Key::Init => "Weight initialisation, or a .safetensors file or run to start from",
            Key::Precision => {
                "Bits of what layers hand on: f16 takes half the memory, where a GPU has such floats"
            }
            Key::Epochs => "Passes over the training images; `auto` follows from their number",
            Key::MaxSteps => "Stop after this many optimizer steps, also in the middle of an epoch",
            Key::BatchSize => "Images per step; `auto` follows from the number of training images",
            Key::Flip => "Mirror training images: a random half in each epoch, or each in every other epoch",
            Key::Crop => {
                "Shift training images by up to this many pixels in both directions, edges mirrored; `auto`: an eighth"
            }
            Key::Cutout => "Cut a square of this side out of training images",
            Key::Shuffle => "Take the images in file order, every epoch",
            Key::Seed => "What every random number of the run follows from",
            Key::Optimizer => "How parameters follow their gradients",
            Key::Lr => "Learning rate: that of the first step, or the highest where it warms up",
            Key::Momentum => "How much of the running mean of gradients is kept, 0 to below 1",
            Key::Nesterov => "Let momentum look ahead",
            Key::WeightDecay => {
                "Add this much of each parameter, biases too, to its gradient; adamw, lion: take it from the parameter"
            }
            Key::Groups => {
                "Train some parameters otherwise, with lr (a factor), decay, until, momentum: \"biases lr=2 decay=0, 3 lr=0\""
            }
            Key::Beta1 => "Share of the first mean of gradients that adam, adamw and lion keep (0.9)",
            Key::Beta2 => "Share of the second mean that adam and adamw (0.999) and lion (0.99) keep",
            Key::Epsilon => "What adam and adamw add to the root of the mean square (1e-8)",
            Key::ClipNorm => {
                "Clip gradients to this global norm; `auto`: only for smaller batches or larger images than the preset's"
            }
            Key::LabelSmoothing => "Share of the training target that all classes have alike, 0 to below 1",
            Key::Ema => {
                "Measure and save running averages of all parameters that keep this share in a step (0.999)"
            }
            Key::L2 => "Add X/2 times the sum of squares of all weights to the loss",
            Key::Schedule => "How the learning rate changes from step to step",
            Key::ScheduleSteps => {
                "Lay the schedule out over this many steps (5000) or epochs (20e) instead of over the run"
            }
            Key::StepEvery => "Steps (500) or epochs (30e) after which the step schedule lowers the rate",
            Key::StepFactor => "What the step schedule multiplies the learning rate by",
            Key::Warmup => {
                "How long the learning rate rises from 0: a share of the schedule (0.1), steps (500) or epochs (2e)"
            }
            Key::Validation => {
                "Fraction of the training images to hold out for validation, or `test` to validate on the test images"
            }
            Key::Monitor => "Figure that decides which epoch is best; equal accuracies are compared by loss",
            Key::Patience => "Stop after this many epochs without improvement; needs images to validate on",
            Key::CheckpointEvery => "Save a checkpoint every N steps (500), epochs (2e) or minutes (10m)",
            Key::KeepBest => "Keep the last two checkpoints only, not the best epoch's",
            Key::Device => "What to train on: auto, cpu, gpu, an index or part of a name",
            Key::Tune => "Choose a GPU's kernels by rule instead of by measuring which are fastest",
            Key::Out => "Record the run in this folder instead of a new one in runs/",
        }
    }

    /// The environment variable that sets it, where there is one.
    pub fn environment(self) -> Option<&'static str> {
        match self {
            Key::DataDir => Some(crate::data::locate::ENVIRONMENT_VARIABLE),
            Key::Device => Some("SHADEGRAD_DEVICE"),
            _ => None,
        }
    }

    /// Whether a run's outcome depends on it, and not just where things are.
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
