//! Conversion of complete settings to a [`Config`], and back.

use std::fmt::Write;

use serde::{Serialize, Serializer};

use super::key::Key;
use super::settings::{Origin, Settings};
use super::value::Value;
use super::{Config, Init, Interval, Validation};
use crate::augmentation::Flip;
use crate::data::Normalize;
use crate::data::pictures::Resize;
use crate::nn::InitRule;
use crate::optim::{Groups, Optimizer, Schedule, Warmup};
use crate::tensor::Precision;

/// The defaults of all keys, without a preset, data or layers.
impl Default for Config {
    fn default() -> Self {
        let mut settings = Settings::defaults();
        for key in [Key::Preset, Key::Model] {
            settings.set(key, Value::Text(String::new()), Origin::Default);
        }
        Config::from_settings(&settings)
    }
}

impl Config {
    /// Builds the configuration from `settings`.
    ///
    /// # Panics
    /// Panics if a key that has a default is missing.
    pub(super) fn from_settings(settings: &Settings) -> Self {
        let read = Reader { settings };
        let init = read.text(Key::Init);
        Config {
            preset: read.text(Key::Preset).into(),
            data: settings.get(Key::Data).map(|_| read.text(Key::Data).into()).unwrap_or_default(),
            image_size: settings.get(Key::ImageSize).map(|_| read.count(Key::ImageSize)),
            resize: named(read.text(Key::Resize), Resize::ALL, Resize::name),
            normalize: named(read.text(Key::Normalize), Normalize::ALL, Normalize::name),
            model: read.text(Key::Model).into(),
            init: match InitRule::ALL.into_iter().find(|rule| rule.name() == init) {
                Some(rule) => Init::Rule(rule),
                None => Init::File(init.into()),
            },
            precision: named(read.text(Key::Precision), Precision::ALL, Precision::name),
            epochs: read.count(Key::Epochs),
            max_steps: settings.get(Key::MaxSteps).map(|_| read.count(Key::MaxSteps)),
            batch_size: read.count(Key::BatchSize),
            flip: named(read.text(Key::Flip), Flip::ALL, Flip::name),
            crop: read.count(Key::Crop),
            cutout: read.count(Key::Cutout),
            shuffle: read.switch(Key::Shuffle),
            seed: read.whole(Key::Seed),
            optimizer: read.optimizer(),
            groups: match settings.get(Key::Groups) {
                Some(_) => {
                    Groups::parse(read.text(Key::Groups)).expect("groups were checked when they were read")
                }
                None => Groups::default(),
            },
            learning_rate: read.number(Key::Lr),
            schedule: named(read.text(Key::Schedule), Schedule::ALL, Schedule::name),
            schedule_steps: settings.get(Key::ScheduleSteps).map(|_| read.interval(Key::ScheduleSteps)),
            step_every: settings.get(Key::StepEvery).map(|_| read.interval(Key::StepEvery)),
            step_factor: read.number(Key::StepFactor),
            warmup: match read.value(Key::Warmup) {
                Value::Number(share) => Warmup::Share(*share),
                _ => match read.interval(Key::Warmup) {
                    Interval::Steps(steps) => Warmup::Steps(steps),
                    Interval::Epochs(epochs) => Warmup::Epochs(epochs),
                    Interval::Minutes(_) => unreachable!("a warm-up was checked when it was read"),
                },
            },
            clip_norm: settings.get(Key::ClipNorm).map(|_| read.number(Key::ClipNorm)),
            label_smoothing: read.number(Key::LabelSmoothing),
            ema: settings.get(Key::Ema).map(|_| read.number(Key::Ema)),
            l2: read.number(Key::L2),
            validation: match read.value(Key::Validation) {
                Value::Number(0.0) => Validation::None,
                Value::Number(share) => Validation::Share(*share),
                // `test` is the only word.
                _ => Validation::Test,
            },
            monitor: settings.monitor(),
            patience: settings.get(Key::Patience).map(|_| read.count(Key::Patience)),
            checkpoint_every: read.interval(Key::CheckpointEvery),
            keep_best: read.switch(Key::KeepBest),
        }
    }

    /// Returns the configuration with the values that may have been `auto` taken from `settings`.
    pub(super) fn settled(self, settings: &Settings) -> Self {
        let read = Reader { settings };
        Config {
            model: read.text(Key::Model).into(),
            epochs: read.count(Key::Epochs),
            batch_size: read.count(Key::BatchSize),
            crop: read.count(Key::Crop),
            clip_norm: settings.get(Key::ClipNorm).map(|_| read.number(Key::ClipNorm)),
            ..self
        }
    }

    /// Returns each value under its key, as if all had been given on the command line.
    pub fn to_settings(&self) -> Settings {
        let text = |text: &str| Value::Text(text.into());
        let count = |count: usize| Value::Whole(count as u64);
        let number = |number: f32| Value::Number(number);
        let init = match &self.init {
            Init::Rule(rule) => text(rule.name()),
            // The path came from a flag or a file as text, so nothing is lost.
            Init::File(path) => text(&path.to_string_lossy()),
        };
        let values = [
            (Key::Preset, Some(text(&self.preset))),
            (Key::Data, (!self.data.is_empty()).then(|| text(&self.data))),
            (Key::ImageSize, self.image_size.map(count)),
            (Key::Resize, Some(text(self.resize.name()))),
            (Key::Normalize, Some(text(self.normalize.name()))),
            (Key::Model, Some(text(&self.model))),
            (Key::Init, Some(init)),
            (Key::Precision, Some(text(self.precision.name()))),
            (Key::Epochs, Some(count(self.epochs))),
            (Key::MaxSteps, self.max_steps.map(count)),
            (Key::BatchSize, Some(count(self.batch_size))),
            (Key::Flip, Some(text(self.flip.name()))),
            (Key::Crop, Some(count(self.crop))),
            (Key::Cutout, Some(count(self.cutout))),
            (Key::Shuffle, Some(Value::Switch(self.shuffle))),
            (Key::Seed, Some(Value::Whole(self.seed))),
            (Key::Optimizer, Some(text(self.optimizer.name()))),
            (Key::Lr, Some(Value::Number(self.learning_rate))),
            (Key::Groups, (!self.groups.is_empty()).then(|| text(&self.groups.to_string()))),
            (Key::ClipNorm, self.clip_norm.map(number)),
            (Key::LabelSmoothing, Some(number(self.label_smoothing))),
            (Key::Ema, self.ema.map(number)),
            (Key::L2, Some(Value::Number(self.l2))),
            (Key::Schedule, Some(text(self.schedule.name()))),
            (Key::ScheduleSteps, self.schedule_steps.map(|steps| text(&steps.to_string()))),
            (Key::StepEvery, self.step_every.map(|every| text(&every.to_string()))),
            // The key is rejected without its schedule.
            (Key::StepFactor, (self.schedule == Schedule::Step).then_some(number(self.step_factor))),
            (
                Key::Warmup,
                Some(match self.warmup {
                    Warmup::Share(share) => number(share),
                    Warmup::Steps(steps) => text(&Interval::Steps(steps).to_string()),
                    Warmup::Epochs(epochs) => text(&Interval::Epochs(epochs).to_string()),
                }),
            ),
            (
                Key::Validation,
                Some(match self.validation {
                    Validation::None => Value::Number(0.0),
                    Validation::Share(share) => Value::Number(share),
                    Validation::Test => text(Validation::NAMES[0]),
                }),
            ),
            (Key::Monitor, Some(text(self.monitor.name()))),
            (Key::Patience, self.patience.map(count)),
            (Key::CheckpointEvery, Some(text(&self.checkpoint_every.to_string()))),
            (Key::KeepBest, Some(Value::Switch(self.keep_best))),
        ];
        let mut settings = Settings::default();
        for (key, value) in self.optimizer.values() {
            settings.set(key, value, Origin::Caller);
        }
        for (key, value) in values {
            if let Some(value) = value {
                settings.set(key, value, Origin::Caller);
            }
        }
        settings
    }

    /// As a TOML file that gives the same configuration when it is read as a
    /// [`ConfigFile`](super::ConfigFile).
    pub fn to_toml(&self) -> String {
        let mut text =
            String::from("# The complete configuration of a run: `shadegrad train --config` takes it.\n");
        write!(text, "{}", self.to_settings().to_toml()).expect("a String takes everything");
        text
    }
}

impl Optimizer {
    /// Returns the optimizer's own values, each under its key.
    pub(super) fn values(self) -> Vec<(Key, Value)> {
        let numbers = |values: &[(Key, f32)]| {
            values.iter().map(|&(key, number)| (key, Value::Number(number))).collect::<Vec<_>>()
        };
        match self {
            Optimizer::Sgd { momentum, nesterov, weight_decay }
            | Optimizer::Muon { momentum, nesterov, weight_decay } => {
                let mut values = numbers(&[(Key::Momentum, momentum), (Key::WeightDecay, weight_decay)]);
                values.push((Key::Nesterov, Value::Switch(nesterov)));
                values
            }
            Optimizer::Adam { betas: [beta1, beta2], epsilon, weight_decay, decoupled: _ } => numbers(&[
                (Key::WeightDecay, weight_decay),
                (Key::Beta1, beta1),
                (Key::Beta2, beta2),
                (Key::Epsilon, epsilon),
            ]),
            Optimizer::Lion { betas: [beta1, beta2], weight_decay } => {
                numbers(&[(Key::WeightDecay, weight_decay), (Key::Beta1, beta1), (Key::Beta2, beta2)])
            }
        }
    }
}

/// Serializes as an object with the keys of a configuration file.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_settings().serialize(serializer)
    }
}

/// Reads values from settings whose kinds have been checked.
struct Reader<'a> {
    settings: &'a Settings,
}

impl<'a> Reader<'a> {
    fn optimizer(&self) -> Optimizer {
        let weight_decay = self.number(Key::WeightDecay);
        // The default of these depends on the optimizer.
        let number_or = |key, usual| self.settings.get(key).map_or(usual, |_| self.number(key));
        let betas = |second| [number_or(Key::Beta1, 0.9), number_or(Key::Beta2, second)];
        let (momentum, nesterov) = (self.number(Key::Momentum), self.switch(Key::Nesterov));
        match self.text(Key::Optimizer) {
            "sgd" => Optimizer::Sgd { momentum, nesterov, weight_decay },
            "muon" => Optimizer::Muon { momentum, nesterov, weight_decay },
            name @ ("adam" | "adamw") => Optimizer::Adam {
                betas: betas(0.999),
                epsilon: number_or(Key::Epsilon, 1e-8),
                weight_decay,
                decoupled: name == "adamw",
            },
            "lion" => Optimizer::Lion { betas: betas(0.99), weight_decay },
            other => unreachable!("the optimizer's name {other} was checked when it was read"),
        }
    }

    fn interval(&self, key: Key) -> Interval {
        Interval::parse(self.text(key)).expect("an interval was checked when it was read")
    }

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

/// Returns the item of `all` with this name. The name was checked when it was read.
fn named<T: Copy, const N: usize>(name: &str, all: [T; N], name_of: fn(T) -> &'static str) -> T {
    let found = all.into_iter().find(|one| name_of(*one) == name);
    found.unwrap_or_else(|| unreachable!("{name} was checked"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Monitor, Resolved, Sources, resolve};

    fn resolve_file(text: &str) -> crate::Result<Resolved> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("it is writable");
        resolve(Sources { flags: Settings::default(), environment: &|_| None, file: Some(&path) })
    }

    #[test]
    fn awkward_values_come_back_from_their_own_text() {
        let names = ["plain", "with \"quotes\" and \\ and\nlines", "Größe/图片", "#no comment"];
        let numbers = [f32::MIN_POSITIVE, 1e-45, 0.1, 1.0 / 3.0, 16_777_217.0, 3.4e38, f32::MAX];
        let others = names.iter().cycle().zip(Normalize::ALL.iter().cycle());
        for (index, (&number, (&name, &normalize))) in numbers.iter().zip(others).enumerate() {
            let betas = [1.0 - f32::EPSILON, 0.0];
            let optimizers = [
                Optimizer::Sgd { momentum: 1.0 - f32::EPSILON, nesterov: true, weight_decay: number },
                Optimizer::Adam { betas, epsilon: number, weight_decay: number, decoupled: false },
                Optimizer::Adam { betas, epsilon: number, weight_decay: 0.0, decoupled: true },
                Optimizer::Lion { betas, weight_decay: number },
                Optimizer::Muon { momentum: 0.5, nesterov: false, weight_decay: number },
            ];
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
                optimizer: optimizers[index % 5],
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
