//! One validated configuration, made from defaults, a preset, a TOML file, the environment and flags.
//!
//! [`Key`] is the one table of what can be set; each key is a line of a TOML file and a flag of the
//! same name. [`Settings`] holds what one source says, with where it was said; [`resolve()`] puts
//! the sources on top of each other and makes the [`Config`] that a run depends on.

mod automatic;
mod convert;
mod file;
mod groups;
mod interval;
mod key;
mod kind;
mod paths;
pub mod presets;
mod resolve;
mod settings;

use std::path::PathBuf;

use crate::augmentation::{Augmentation, Flip};
use crate::data::pictures::{self, Resize};

pub use automatic::TrainingSet;
pub use file::ConfigFile;
pub use groups::{Groups, Treatment};
pub use interval::Interval;
pub use key::Key;
pub use kind::{Bounds, Kind, Written};
pub use paths::absolute_data;
pub use resolve::{Resolved, Sources, complete, resolve, said};
pub use settings::{Difference, Origin, Setting, Settings, Value};

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

/// How long the learning rate rises at the beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Warmup {
    /// This share of all steps, 0 to 1.
    Share(f32),
    /// So many steps, at least two.
    Steps(usize),
    /// So many passes over the training images.
    Epochs(usize),
}

/// The images that say which epoch of the run is best, and when to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validation {
    /// The validation images that the data has. Where it has none, the test images say which epoch
    /// is best, and nothing in the run follows from it.
    None,
    /// This share of the training images, above 0 and below 1, which the run does not train on.
    Share(f32),
    /// The test images, because somebody asked for it: the best epoch's test accuracy is then no
    /// measure of how good the model is on images that nobody has seen.
    Test,
}

impl Validation {
    /// The words that stand for one of them.
    pub const NAMES: [&'static str; 1] = ["test"];
}

/// The figure that says which epoch is best, and whether the run still improves. It is that of the
/// validation images, or of the test images where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Monitor {
    /// The higher accuracy is better; of equal accuracies, that with the lower loss.
    #[default]
    Accuracy,
    /// The lower loss is better; of equal losses, that with the higher accuracy.
    Loss,
}

impl Monitor {
    /// All of them.
    pub const ALL: [Monitor; 2] = [Monitor::Accuracy, Monitor::Loss];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Monitor::Accuracy => "accuracy",
            Monitor::Loss => "loss",
        }
    }

    /// The one that `settings` name, or the default where they name none, as those of runs that
    /// were made before there was a choice.
    pub fn of(settings: &Settings) -> Self {
        let is_named = |monitor: &Monitor| settings.text(Key::Monitor) == Some(monitor.name());
        Monitor::ALL.into_iter().find(is_named).unwrap_or_default()
    }
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

/// How pixels become the model's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Pixel / 255.
    Unit,
    /// Pixel / 255, less the channel's mean, by its standard deviation, over the training images.
    Standard,
}

impl Normalize {
    /// All of them.
    pub const ALL: [Normalize; 2] = [Normalize::Unit, Normalize::Standard];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Normalize::Unit => "unit",
            Normalize::Standard => "standard",
        }
    }
}

/// In how many bits a training step keeps what layers hand on, the gradients of that, and weights as products read them.
/// All sums, parameters and what optimizers keep have 32, and so has all that comes after training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits, where a device has such floats. Others keep 32.
    F16,
}

impl Precision {
    /// All of them.
    pub const ALL: [Precision; 2] = [Precision::F32, Precision::F16];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
        }
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

/// A rule for the first weights of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitRule {
    /// Normal with variance 2 / inputs (He et al. 2015, section 2.2); biases are zeros.
    He,
    /// Uniform with variance 2 / (inputs + outputs) (Glorot and Bengio 2010, eq. 16); biases are zeros.
    Xavier,
    /// Weights and biases uniform in ±1/sqrt(inputs), as PyTorch's `nn.Linear`.
    Pytorch,
    /// As PyTorch's, but the first filters of a convolution, one for each channel that it reads, hand that channel on as it
    /// is, and the last weight has the standard deviation 1 (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
    /// section 3.3).
    Dirac,
    /// Standard normal weights, whatever the layer's size; biases are zeros.
    Normal,
}

impl InitRule {
    /// All of them.
    pub const ALL: [InitRule; 5] =
        [InitRule::He, InitRule::Xavier, InitRule::Pytorch, InitRule::Dirac, InitRule::Normal];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            InitRule::He => "he",
            InitRule::Xavier => "xavier",
            InitRule::Pytorch => "pytorch",
            InitRule::Dirac => "dirac",
            InitRule::Normal => "normal",
        }
    }
}

/// How parameters follow their gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent, with PyTorch's definitions.
    Sgd {
        /// How much of the running mean of gradients is kept, 0 to 1; 0 keeps none.
        momentum: f32,
        /// Whether to look ahead.
        nesterov: bool,
        /// Factor of each parameter that is added to its gradient, biases included.
        weight_decay: f32,
    },
    /// Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019), with PyTorch's definitions.
    Adam {
        /// How much of the means of gradients and of their squares is kept.
        betas: [f32; 2],
        /// What is added to the root of the mean square.
        epsilon: f32,
        /// How strongly parameters decay, biases included.
        weight_decay: f32,
        /// Whether they decay by themselves (AdamW) or by their gradients (Adam).
        decoupled: bool,
    },
    /// Lion (Chen et al. 2023, algorithm 2).
    Lion {
        /// How much of the mean the step takes, and how much of it is kept.
        betas: [f32; 2],
        /// How strongly parameters decay by themselves, biases included.
        weight_decay: f32,
    },
    /// Muon (Jordan et al. 2024) for weights; all else follows by stochastic gradient descent with the same values.
    Muon {
        /// How much of the running mean of gradients is kept, 0 to 1.
        momentum: f32,
        /// Whether to look ahead.
        nesterov: bool,
        /// Factor of each parameter that is added to its gradient, biases included.
        weight_decay: f32,
    },
}

impl Optimizer {
    /// The names of all of them.
    pub const NAMES: [&'static str; 5] = ["sgd", "adam", "adamw", "lion", "muon"];

    /// Stochastic gradient descent with what it shares with this optimizer.
    pub const fn descent(self) -> Optimizer {
        match self {
            Optimizer::Sgd { momentum, nesterov, weight_decay }
            | Optimizer::Muon { momentum, nesterov, weight_decay } => {
                Optimizer::Sgd { momentum, nesterov, weight_decay }
            }
            Optimizer::Adam { weight_decay, .. } | Optimizer::Lion { weight_decay, .. } => {
                Optimizer::Sgd { momentum: 0.0, nesterov: false, weight_decay }
            }
        }
    }

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Optimizer::Sgd { .. } => "sgd",
            Optimizer::Adam { decoupled: false, .. } => "adam",
            Optimizer::Adam { decoupled: true, .. } => "adamw",
            Optimizer::Lion { .. } => "lion",
            Optimizer::Muon { .. } => "muon",
        }
    }
}

/// How the learning rate changes from step to step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// Straight down to zero at the last step.
    Linear,
    /// Half a cosine down to zero at the last step (Loshchilov and Hutter 2017, eq. 5).
    Cosine,
    /// Lower by the same factor every so often, as PyTorch's `StepLR`.
    Step,
    /// Up from a 25th of the peak and down to a 10,000th of that, each along half a cosine (Smith and
    /// Topin 2018, as PyTorch's `OneCycleLR` has it); the warm-up is the way up.
    OneCycle,
    /// The same in two straight lines.
    OneCycleLinear,
}

impl Schedule {
    /// All of them.
    pub const ALL: [Schedule; 6] = [
        Schedule::Constant,
        Schedule::Linear,
        Schedule::Cosine,
        Schedule::Step,
        Schedule::OneCycle,
        Schedule::OneCycleLinear,
    ];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Schedule::Constant => "constant",
            Schedule::Linear => "linear",
            Schedule::Cosine => "cosine",
            Schedule::Step => "step",
            Schedule::OneCycle => "one-cycle",
            Schedule::OneCycleLinear => "one-cycle-linear",
        }
    }
}
