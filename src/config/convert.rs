//! Conversion of settings to the fields of a [`Config`](super::Config), and back.

use super::choices::{Init, Monitor, Validation};
use super::interval::Interval;
use super::key::Key;
use super::settings::{Origin, Settings};
use super::value::Value;
use crate::augmentation::Flip;
use crate::data::{Normalize, Resize};
use crate::nn::InitRule;
use crate::optim::{Groups, Optimizer, Place, Schedule, Warmup};
use crate::tensor::Precision;

pub(super) trait Field {
    /// Returns the field, whose key is `key`. The values of all settings have been checked.
    fn read(settings: &Settings, key: Key) -> Self;

    /// Adds the field to `settings`.
    fn write(&self, settings: &mut Settings, key: Key);
}

/// A field that is one value.
trait Single: Sized {
    /// Returns `None` if the value is of another kind.
    fn from_value(value: &Value) -> Option<Self>;

    fn to_value(&self) -> Value;
}

/// A field that always has a value: its key has a default.
impl<T: Single> Field for T {
    fn read(settings: &Settings, key: Key) -> Self {
        Option::read(settings, key).unwrap_or_else(|| panic!("{} has a default", key.name()))
    }

    fn write(&self, settings: &mut Settings, key: Key) {
        settings.set(key, self.to_value(), Origin::Caller);
    }
}

impl<T: Single> Field for Option<T> {
    fn read(settings: &Settings, key: Key) -> Self {
        let value = &settings.get(key)?.value;
        let found = T::from_value(value);
        Some(found.unwrap_or_else(|| unreachable!("{} was checked, but is {value}", key.name())))
    }

    fn write(&self, settings: &mut Settings, key: Key) {
        if let Some(value) = self {
            value.write(settings, key);
        }
    }
}

/// Text that may be missing, and is empty then.
impl Field for String {
    fn read(settings: &Settings, key: Key) -> Self {
        settings.text(key).unwrap_or_default().into()
    }

    fn write(&self, settings: &mut Settings, key: Key) {
        if !self.is_empty() {
            settings.set(key, Value::Text(self.clone()), Origin::Caller);
        }
    }
}

impl Field for Groups {
    fn read(settings: &Settings, key: Key) -> Self {
        let parse = |text| Groups::parse(text).expect("groups were checked when they were read");
        settings.text(key).map(parse).unwrap_or_default()
    }

    fn write(&self, settings: &mut Settings, key: Key) {
        self.to_string().write(settings, key);
    }
}

/// The name under the key, and each hyperparameter under its own.
impl Field for Optimizer {
    fn read(settings: &Settings, key: Key) -> Self {
        let name = settings.text(key);
        let mut optimizer =
            Optimizer::all().find(|one| Some(one.name()) == name).expect("the name was checked");
        for own in optimizer.hyperparameters() {
            let key = Key::of_hyperparameter(own);
            // Where none is set, the default depends on the optimizer.
            match (own.of)(&mut optimizer) {
                Place::Number(number) => *number = Option::read(settings, key).unwrap_or(*number),
                Place::Switch(on) => *on = Option::read(settings, key).unwrap_or(*on),
            }
        }
        optimizer
    }

    fn write(&self, settings: &mut Settings, key: Key) {
        settings.set(key, Value::Text(self.name().into()), Origin::Caller);
        let mut optimizer = *self;
        for own in self.hyperparameters() {
            let key = Key::of_hyperparameter(own);
            match (own.of)(&mut optimizer) {
                Place::Number(number) => number.write(settings, key),
                Place::Switch(on) => on.write(settings, key),
            }
        }
    }
}

/// Implements [`Single`] for the types of values.
macro_rules! plain {
    ($($type:ty: $kind:ident;)+) => {
        $(impl Single for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::$kind(found) => Some(*found),
                    _ => None,
                }
            }

            fn to_value(&self) -> Value {
                Value::$kind(*self)
            }
        })+
    };
}

plain! {
    bool: Switch;
    f32: Number;
    u64: Whole;
}

impl Single for usize {
    fn from_value(value: &Value) -> Option<Self> {
        u64::from_value(value)?.try_into().ok()
    }

    fn to_value(&self) -> Value {
        Value::Whole(*self as u64)
    }
}

/// Implements [`Single`] for enumerations, which are words in files.
macro_rules! words {
    ($($type:ty;)+) => {
        $(impl Single for $type {
            fn from_value(value: &Value) -> Option<Self> {
                let text = text(value)?;
                <$type>::ALL.into_iter().find(|one| one.name() == text)
            }

            fn to_value(&self) -> Value {
                Value::Text(self.name().into())
            }
        })+
    };
}

words! {
    Flip;
    InitRule;
    Monitor;
    Normalize;
    Precision;
    Resize;
    Schedule;
}

impl Single for Interval {
    fn from_value(value: &Value) -> Option<Self> {
        Interval::parse(text(value)?)
    }

    fn to_value(&self) -> Value {
        Value::Text(self.to_string())
    }
}

impl Single for Init {
    fn from_value(value: &Value) -> Option<Self> {
        let rule = InitRule::from_value(value).map(Init::Rule);
        rule.or_else(|| Some(Init::File(text(value)?.into())))
    }

    fn to_value(&self) -> Value {
        match self {
            Init::Rule(rule) => rule.to_value(),
            // The path came from a flag or a file as text, so nothing is lost.
            Init::File(path) => Value::Text(path.to_string_lossy().into()),
        }
    }
}

impl Single for Warmup {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(share) => Some(Warmup::Share(*share)),
            _ => match Interval::from_value(value)? {
                Interval::Steps(steps) => Some(Warmup::Steps(steps)),
                Interval::Epochs(epochs) => Some(Warmup::Epochs(epochs)),
                Interval::Minutes(_) => None,
            },
        }
    }

    fn to_value(&self) -> Value {
        match *self {
            Warmup::Share(share) => Value::Number(share),
            Warmup::Steps(steps) => Interval::Steps(steps).to_value(),
            Warmup::Epochs(epochs) => Interval::Epochs(epochs).to_value(),
        }
    }
}

impl Single for Validation {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(0.0) => Some(Validation::None),
            Value::Number(share) => Some(Validation::Share(*share)),
            // `test` is the only word.
            _ => Some(Validation::Test),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Validation::None => Value::Number(0.0),
            Validation::Share(share) => Value::Number(*share),
            Validation::Test => Value::Text(Validation::NAMES[0].into()),
        }
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
