//! A value that is allowed for its key.

use std::fmt;

use serde::{Serialize, Serializer};

/// A value that is allowed for its key.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A word, a name or a path.
    Text(String),
    /// A count or a seed.
    Whole(u64),
    /// A number.
    Number(f32),
    /// True or false.
    Switch(bool),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Whole(number) => serializer.serialize_u64(*number),
            Value::Number(number) => serializer.serialize_f32(*number),
            Value::Switch(on) => serializer.serialize_bool(*on),
        }
    }
}

/// Formats the value as in TOML.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => toml::Value::String(text.clone()).fmt(formatter),
            Value::Whole(number) => number.fmt(formatter),
            // `{:?}` writes the fewest digits that read back as the same f32, always with a point
            // or an exponent.
            Value::Number(number) => write!(formatter, "{number:?}"),
            Value::Switch(on) => on.fmt(formatter),
        }
    }
}

/// The word `auto` in files and flags.
pub(super) const AUTO: &str = "auto";
