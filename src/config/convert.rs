//! From complete settings to a [`Config`], and back.

use std::fmt::Write;

use serde::{Serialize, Serializer};

use super::key::Key;
use super::settings::{Origin, Settings, Value};
use super::{Config, Init, InitRule, Interval, Normalize, Optimizer, Schedule, Validation};
use crate::data::pictures::Resize;

impl Config {
    /// The configuration that `settings` add up to. Panics where a key is missing that has a default.
    pub(super) fn from_settings(settings: &Settings) -> Self {
        let read = Reader { settings };
        let init = read.text(Key::Init);
        Config {
            preset: read.text(Key::Preset).into(),
            data: read.text(Key::Data).into(),
            image_size: settings.get(Key::ImageSize).map(|_| read.count(Key::ImageSize)),
            resize: named(read.text(Key::Resize), Resize::ALL, Resize::name),
            normalize: named(read.text(Key::Normalize), Normalize::ALL, Normalize::name),
            model: read.text(Key::Model).into(),
            init: match InitRule::ALL.into_iter().find(|rule| rule.name() == init) {
                Some(rule) => Init::Rule(rule),
                None => Init::File(init.into()),
            },
            epochs: read.count(Key::Epochs),
            max_steps: settings.get(Key::MaxSteps).map(|_| read.count(Key::MaxSteps)),
            batch_size: read.count(Key::BatchSize),
            shuffle: read.switch(Key::Shuffle),
            seed: read.whole(Key::Seed),
            // The only one there is; its name was checked when it was read.
            optimizer: Optimizer::Sgd {
                momentum: read.number(Key::Momentum),
                nesterov: read.switch(Key::Nesterov),
                weight_decay: read.number(Key::WeightDecay),
            },
            learning_rate: read.number(Key::Lr),
            schedule: named(read.text(Key::Schedule), Schedule::ALL, Schedule::name),
            warmup: read.number(Key::Warmup),
            l2: read.number(Key::L2),
            validation: match read.value(Key::Validation) {
                Value::Number(0.0) => Validation::None,
                Value::Number(share) => Validation::Share(*share),
                // The only word there is.
                _ => Validation::Test,
            },
            patience: settings.get(Key::Patience).map(|_| read.count(Key::Patience)),
            checkpoint_every: Interval::parse(read.text(Key::CheckpointEvery))
                .expect("an interval was checked when it was read"),
            keep_best: read.switch(Key::KeepBest),
        }
    }

    /// Each value under its key, as if all had been said on the command line.
    pub fn to_settings(&self) -> Settings {
        let text = |text: &str| Value::Text(text.into());
        let count = |count: usize| Value::Whole(count as u64);
        let Optimizer::Sgd { momentum, nesterov, weight_decay } = self.optimizer;
        let init = match &self.init {
            Init::Rule(rule) => text(rule.name()),
            // The path came from a flag or a file as text, so nothing is lost.
            Init::File(path) => text(&path.to_string_lossy()),
        };
        let values = [
            (Key::Preset, Some(text(&self.preset))),
            (Key::Data, Some(text(&self.data))),
            (Key::ImageSize, self.image_size.map(count)),
            (Key::Resize, Some(text(self.resize.name()))),
            (Key::Normalize, Some(text(self.normalize.name()))),
            (Key::Model, Some(text(&self.model))),
            (Key::Init, Some(init)),
            (Key::Epochs, Some(count(self.epochs))),
            (Key::MaxSteps, self.max_steps.map(count)),
            (Key::BatchSize, Some(count(self.batch_size))),
            (Key::Shuffle, Some(Value::Switch(self.shuffle))),
            (Key::Seed, Some(Value::Whole(self.seed))),
            (Key::Optimizer, Some(text(self.optimizer.name()))),
            (Key::Lr, Some(Value::Number(self.learning_rate))),
            (Key::Momentum, Some(Value::Number(momentum))),
            (Key::Nesterov, Some(Value::Switch(nesterov))),
            (Key::WeightDecay, Some(Value::Number(weight_decay))),
            (Key::L2, Some(Value::Number(self.l2))),
            (Key::Schedule, Some(text(self.schedule.name()))),
            (Key::Warmup, Some(Value::Number(self.warmup))),
            (
                Key::Validation,
                Some(match self.validation {
                    Validation::None => Value::Number(0.0),
                    Validation::Share(share) => Value::Number(share),
                    Validation::Test => text(Validation::NAMES[0]),
                }),
            ),
            (Key::Patience, self.patience.map(count)),
            (Key::CheckpointEvery, Some(text(&self.checkpoint_every.to_string()))),
            (Key::KeepBest, Some(Value::Switch(self.keep_best))),
        ];
        let mut settings = Settings::default();
        for (key, value) in values {
            if let Some(value) = value {
                settings.set(key, value, Origin::Flag);
            }
        }
        settings
    }

    /// As a TOML file that gives the same configuration when it is read with `--config`.
    pub fn to_toml(&self) -> String {
        let mut text =
            String::from("# The complete configuration of a run: `shadegrad train --config` takes it.\n");
        write!(text, "{}", self.to_settings().to_toml()).expect("a String takes everything");
        text
    }
}

/// As an object with the keys of a configuration file.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_settings().serialize(serializer)
    }
}

/// Takes values out of settings whose kinds are known to be right.
struct Reader<'a> {
    settings: &'a Settings,
}

impl<'a> Reader<'a> {
    fn value(&self, key: Key) -> &'a Value {
        let setting = self.settings.get(key);
        &setting.unwrap_or_else(|| panic!("{} has a default", key.name())).value
    }

    fn text(&self, key: Key) -> &'a str {
        match self.value(key) {
            Value::Text(text) => text,
            other => unreachable!("{} is text, not {other}", key.name()),
        }
    }

    fn whole(&self, key: Key) -> u64 {
        match self.value(key) {
            Value::Whole(number) => *number,
            other => unreachable!("{} is a whole number, not {other}", key.name()),
        }
    }

    fn count(&self, key: Key) -> usize {
        usize::try_from(self.whole(key)).expect("a count has 32 bits")
    }

    fn number(&self, key: Key) -> f32 {
        match self.value(key) {
            Value::Number(number) => *number,
            other => unreachable!("{} is a number, not {other}", key.name()),
        }
    }

    fn switch(&self, key: Key) -> bool {
        match self.value(key) {
            Value::Switch(on) => *on,
            other => unreachable!("{} is true or false, not {other}", key.name()),
        }
    }
}

/// The one of `all` that has the name; a name was checked when it was read.
fn named<T: Copy, const N: usize>(name: &str, all: [T; N], name_of: fn(T) -> &'static str) -> T {
    let found = all.into_iter().find(|one| name_of(*one) == name);
    found.unwrap_or_else(|| unreachable!("{name} was checked"))
}
