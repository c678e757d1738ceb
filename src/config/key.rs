//! The one table of what can be set: name, help, kind of value and what is allowed.

use std::ffi::OsStr;
use std::fmt;

use super::settings::Value;
use super::{InitRule, Interval, Normalize, Optimizer, Schedule, Validation, presets};
use crate::data::pictures::Resize;

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
    /// Passes over the training images.
    Epochs,
    /// Optimizer steps after which to stop.
    MaxSteps,
    /// Images per step.
    BatchSize,
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
    /// The loss's penalty.
    L2,
    /// How the learning rate changes.
    Schedule,
    /// Fraction of all steps with a rising learning rate.
    Warmup,
    /// What the run is judged by while it trains.
    Validation,
    /// Epochs without a better one after which to stop.
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

/// A kind of value, and which of them are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text but the empty one.
    Text,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// One of a few words, or the path of a `.safetensors` file.
    ChoiceOrFile(&'static [&'static str]),
    /// A whole number of things, 1 to [`Kind::MOST`].
    Count,
    /// Any whole number of 64 bits.
    Whole,
    /// A number within bounds.
    Number(Bounds),
    /// One of a few words, or a number from 0 to below 1.
    ShareOrChoice(&'static [&'static str]),
    /// A number of steps, epochs or minutes: see [`Interval`].
    Interval,
    /// Yes or no.
    Switch {
        /// Whether it is on where nothing is said.
        usual: bool,
        /// The flag that turns it off, without dashes; the one that turns it on has the key's name.
        off: &'static str,
    },
}

/// Which numbers are allowed. Infinities and NaN never are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    /// Above 0.
    Positive,
    /// 0 or more.
    NotNegative,
    /// 0 to 1.
    Fraction,
    /// 0 to 1, but not 1.
    BelowOne,
}

/// A value as somebody wrote it, before anyone knows whether it fits.
#[derive(Clone, Copy, Debug)]
pub enum Written<'a> {
    /// On the command line or in the environment, where everything is text.
    Bare(&'a OsStr),
    /// A string of a TOML file.
    Text(&'a str),
    /// The digits of a number of a TOML file.
    Number(&'a str),
    /// `true` or `false` in a TOML file.
    Switch(bool),
    /// A date, a list or a table of a TOML file.
    Other,
}

const NORMALIZATIONS: [&str; 2] = [Normalize::ALL[0].name(), Normalize::ALL[1].name()];
const RESIZES: [&str; 3] = [Resize::ALL[0].name(), Resize::ALL[1].name(), Resize::ALL[2].name()];
const SCHEDULES: [&str; 3] = [Schedule::ALL[0].name(), Schedule::ALL[1].name(), Schedule::ALL[2].name()];
const INIT_RULES: [&str; 4] =
    [InitRule::ALL[0].name(), InitRule::ALL[1].name(), InitRule::ALL[2].name(), InitRule::ALL[3].name()];

impl Key {
    /// All keys, in the order in which files and help list them.
    pub const ALL: [Key; 28] = [
        Key::Preset,
        Key::Data,
        Key::DataDir,
        Key::ImageSize,
        Key::Resize,
        Key::Normalize,
        Key::Model,
        Key::Init,
        Key::Epochs,
        Key::MaxSteps,
        Key::BatchSize,
        Key::Shuffle,
        Key::Seed,
        Key::Optimizer,
        Key::Lr,
        Key::Momentum,
        Key::Nesterov,
        Key::WeightDecay,
        Key::L2,
        Key::Schedule,
        Key::Warmup,
        Key::Validation,
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
            Key::Epochs => "epochs",
            Key::MaxSteps => "max-steps",
            Key::BatchSize => "batch-size",
            Key::Shuffle => "shuffle",
            Key::Seed => "seed",
            Key::Optimizer => "optimizer",
            Key::Lr => "lr",
            Key::Momentum => "momentum",
            Key::Nesterov => "nesterov",
            Key::WeightDecay => "weight-decay",
            Key::L2 => "l2",
            Key::Schedule => "schedule",
            Key::Warmup => "warmup",
            Key::Validation => "validation",
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
            Key::Data | Key::DataDir | Key::Model | Key::Device | Key::Out => Kind::Text,
            Key::Preset => Kind::Choice(&presets::NAMES),
            Key::Resize => Kind::Choice(&RESIZES),
            Key::Normalize => Kind::Choice(&NORMALIZATIONS),
            Key::Init => Kind::ChoiceOrFile(&INIT_RULES),
            Key::ImageSize | Key::Epochs | Key::MaxSteps | Key::BatchSize | Key::Patience => Kind::Count,
            Key::Shuffle => Kind::Switch { usual: true, off: "no-shuffle" },
            Key::Nesterov => Kind::Switch { usual: false, off: "no-nesterov" },
            Key::Tune => Kind::Switch { usual: true, off: "no-tune" },
            Key::Seed => Kind::Whole,
            Key::Optimizer => Kind::Choice(&Optimizer::NAMES),
            Key::Lr => Kind::Number(Bounds::Positive),
            Key::Momentum => Kind::Number(Bounds::BelowOne),
            Key::WeightDecay | Key::L2 => Kind::Number(Bounds::NotNegative),
            Key::Schedule => Kind::Choice(&SCHEDULES),
            Key::Warmup => Kind::Number(Bounds::Fraction),
            Key::Validation => Kind::ShareOrChoice(&Validation::NAMES),
            Key::CheckpointEvery => Kind::Interval,
            Key::KeepBest => Kind::Switch { usual: true, off: "no-keep-best" },
        }
    }

    /// What its flag does, in one line. That of a switch says what the unusual setting does.
    pub fn help(self) -> &'static str {
        match self {
            Key::Preset => "Start from this preset's values [see: shadegrad config presets]",
            Key::Data => "Train on a known data set or on a folder [see: shadegrad data list]",
            Key::DataDir => "Look for known data sets here only",
            Key::ImageSize => "Side of the images that pictures become, where they are read from a folder",
            Key::Resize => "What becomes of pictures of another size",
            Key::Normalize => "Scale pixels to 0..1, or to mean 0 and standard deviation 1",
            Key::Model => "Layers joined by commas, for example linear:128,relu,linear:10",
            Key::Init => "Rule for the first weights, or a .safetensors file that has them",
            Key::Epochs => "Passes over the training images",
            Key::MaxSteps => "Stop after this many optimizer steps, wherever in an epoch that is",
            Key::BatchSize => "Images per step",
            Key::Shuffle => "Take the images in file order, every epoch",
            Key::Seed => "What every random number of the run follows from",
            Key::Optimizer => "How parameters follow their gradients",
            Key::Lr => "Learning rate: that of the first step, or the highest where it warms up",
            Key::Momentum => "How much of the running mean of gradients is kept, 0 to below 1",
            Key::Nesterov => "Let momentum look ahead",
            Key::WeightDecay => "Add this much of each parameter to its gradient, biases included",
            Key::L2 => "Add X/2 times the sum of squares of all weights to the loss",
            Key::Schedule => "How the learning rate changes from step to step",
            Key::Warmup => "Fraction of all steps over which the learning rate rises from 0",
            Key::Validation => {
                "Judge the run by this share of the training images, kept aside, or by the `test` images"
            }
            Key::Patience => "Stop after this many epochs without a better one [needs: --validation]",
            Key::CheckpointEvery => "Save a checkpoint every N steps (500), epochs (2e) or minutes (10m)",
            Key::KeepBest => "Keep the last two checkpoints only, not the best epoch's",
            Key::Device => {
                "What to train on: auto, cpu, gpu, an index or part of a name [see: shadegrad devices]"
            }
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

impl Kind {
    /// The largest count. The product of two such counts fits 64 bits.
    pub const MOST: u64 = u32::MAX as u64;

    /// The words to choose from; empty where a value is not a word.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Kind::Choice(words) | Kind::ChoiceOrFile(words) | Kind::ShareOrChoice(words) => words,
            Kind::Switch { .. } => &["true", "false"],
            _ => &[],
        }
    }

    /// The value that was written, if it is allowed.
    pub fn accept(self, written: Written<'_>) -> Option<Value> {
        let text = match written {
            Written::Bare(text) => text.to_str(),
            Written::Text(text) => Some(text),
            _ => None,
        };
        let digits = match written {
            Written::Bare(digits) => digits.to_str(),
            Written::Number(digits) => Some(digits),
            _ => None,
        };
        match self {
            Kind::Text => text.filter(|text| !text.trim().is_empty()).map(|text| Value::Text(text.into())),
            Kind::Choice(words) => {
                text.filter(|text| words.contains(text)).map(|text| Value::Text(text.into()))
            }
            Kind::ChoiceOrFile(words) => text
                .filter(|text| words.contains(text) || text.ends_with(".safetensors"))
                .map(|text| Value::Text(text.into())),
            Kind::Count => {
                let count: u64 = digits?.parse().ok()?;
                (1..=Kind::MOST).contains(&count).then_some(Value::Whole(count))
            }
            Kind::Whole => digits?.parse().ok().map(Value::Whole),
            Kind::Number(bounds) => {
                let number: f32 = digits?.parse().ok()?;
                bounds.contain(number).then_some(Value::Number(number))
            }
            Kind::ShareOrChoice(words) => match text.filter(|text| words.contains(text)) {
                Some(word) => Some(Value::Text(word.into())),
                None => Kind::Number(Bounds::BelowOne).accept(written),
            },
            // The digits of a TOML number are a number of steps.
            Kind::Interval => Interval::parse(text.or(digits)?).map(|every| Value::Text(every.to_string())),
            Kind::Switch { .. } => match written {
                Written::Switch(on) => Some(Value::Switch(on)),
                _ => None,
            },
        }
    }
}

/// What is allowed, to go on from "must be".
impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Text => formatter.write_str("text, and not empty"),
            Kind::Choice([word]) => formatter.write_str(word),
            Kind::Choice(words) => write!(formatter, "one of {}", words.join(", ")),
            Kind::ChoiceOrFile(words) => {
                write!(formatter, "one of {} or a .safetensors file", words.join(", "))
            }
            Kind::Count => write!(formatter, "a whole number from 1 to {}", Kind::MOST),
            Kind::Whole => write!(formatter, "a whole number from 0 to {}", u64::MAX),
            Kind::Number(bounds) => bounds.fmt(formatter),
            Kind::ShareOrChoice(words) => write!(formatter, "{} or {}", Bounds::BelowOne, words.join(", ")),
            Kind::Interval => write!(
                formatter,
                "a whole number of steps (500), epochs (2e) or minutes (10m) from 1 to {}",
                Kind::MOST
            ),
            Kind::Switch { .. } => formatter.write_str("true or false"),
        }
    }
}

impl Bounds {
    /// Whether the number is allowed.
    pub fn contain(self, number: f32) -> bool {
        number.is_finite()
            && match self {
                Bounds::Positive => number > 0.0,
                Bounds::NotNegative => number >= 0.0,
                Bounds::Fraction => (0.0..=1.0).contains(&number),
                Bounds::BelowOne => (0.0..1.0).contains(&number),
            }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Bounds::Positive => "a number above 0 that 32 bits can hold",
            Bounds::NotNegative => "a number, 0 or more, that 32 bits can hold",
            Bounds::Fraction => "a number from 0 to 1",
            Bounds::BelowOne => "a number from 0 to below 1",
        })
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

    #[test]
    fn bounds_keep_out_what_arithmetic_cannot_use() {
        let all = [Bounds::Positive, Bounds::NotNegative, Bounds::Fraction, Bounds::BelowOne];
        for bounds in all {
            for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, -f32::MIN_POSITIVE] {
                assert!(!bounds.contain(number), "{bounds}: {number}");
            }
            assert!(bounds.contain(0.5), "{bounds}");
            assert_eq!(bounds.contain(0.0), bounds != Bounds::Positive, "{bounds}");
        }
        assert!(Bounds::Fraction.contain(1.0));
        assert!(!Bounds::BelowOne.contain(1.0));
    }

    #[test]
    fn text_of_the_command_line_may_be_a_number_but_text_of_a_file_may_not() {
        assert_eq!(Kind::Count.accept(Written::Bare(OsStr::new("7"))), Some(Value::Whole(7)));
        assert_eq!(Kind::Count.accept(Written::Number("7")), Some(Value::Whole(7)));
        assert_eq!(Kind::Count.accept(Written::Text("7")), None);
    }
}
