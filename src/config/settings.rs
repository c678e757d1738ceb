//! What one source says, or several on top of each other: values by key, each with its origin.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use super::choices::Monitor;
use super::key::Key;
use super::kind::{Kind, Written};
use super::value::Value;
use crate::error::{Error, Result};
use crate::remedy::Remedy;
use crate::text::sanitize::one_line;
use crate::text::suggest::nearest;

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is what holds then.
    Default,
    /// Nowhere: it follows from something else, such as the number of training images. The text
    /// says from what.
    Auto(String),
    /// In the preset of that name.
    Preset(String),
    /// In a file, from that place on.
    File {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Of the line's characters, from 1.
        column: usize,
    },
    /// In that environment variable.
    Environment(&'static str),
    /// In the program that uses the library.
    Caller,
    /// In an argument, on a command line for example. The text is its name, as messages quote it.
    Argument(String),
}

/// A value and where it was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// What was said.
    pub value: Value,
    /// Where.
    pub origin: Origin,
}

/// A key whose value differs between two [`Settings`].
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The key.
    pub key: Key,
    /// Its value in the first, if it is set there.
    pub before: Option<Value>,
    /// Its value in the second, if it is set there.
    pub after: Option<Value>,
}

/// Values by key; any key may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    by_key: BTreeMap<Key, Setting>,
}

impl Settings {
    /// Sets `key` to `value`, which must be of its kind.
    pub fn set(&mut self, key: Key, value: Value, origin: Origin) {
        self.by_key.insert(key, Setting { value, origin });
    }

    /// Sets `key` to what somebody wrote, if that is allowed. `shown` is how the error quotes it.
    pub fn set_written(&mut self, key: Key, written: Written<'_>, shown: &str, origin: Origin) -> Result<()> {
        match key.kind().accept(written) {
            Some(value) => {
                self.set(key, value, origin);
                Ok(())
            }
            None => Err(refusal(key, written, shown, &origin)),
        }
    }

    /// Sets `key` to the text of a flag or of an environment variable, if that is allowed.
    pub fn set_text(&mut self, key: Key, text: &OsStr, origin: Origin) -> Result<()> {
        self.set_written(key, Written::Bare(text), &shorten(&text.to_string_lossy()), origin)
    }

    /// What is set for `key`.
    pub fn get(&self, key: Key) -> Option<&Setting> {
        self.by_key.get(&key)
    }

    /// The text that is set for `key`; nothing where none or another kind of value is set.
    pub fn text(&self, key: Key) -> Option<&str> {
        match &self.get(key)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The figure that the run monitors: the default where none is set, as in runs that were made
    /// before there was a choice.
    pub fn monitor(&self) -> Monitor {
        let is_named = |monitor: &Monitor| self.text(Key::Monitor) == Some(monitor.name());
        Monitor::ALL.into_iter().find(is_named).unwrap_or_default()
    }

    /// Everything that is set, in the order of [`Key::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Setting)> {
        self.by_key.iter().map(|(key, setting)| (*key, setting))
    }

    /// Puts `upper` on top: what it says holds, what it does not say stays.
    pub fn put_on_top(&mut self, upper: Settings) {
        self.by_key.extend(upper.by_key);
    }

    /// Only those keys for which `keep` holds.
    pub fn filter(mut self, keep: impl Fn(Key) -> bool) -> Settings {
        self.by_key.retain(|key, _| keep(*key));
        self
    }

    /// The keys whose values are others in `after`.
    pub fn differences(&self, after: &Settings) -> Vec<Difference> {
        let value = |settings: &Settings, key| settings.get(key).map(|setting| setting.value.clone());
        let all = Key::ALL.into_iter().map(|key| Difference {
            key,
            before: value(self, key),
            after: value(after, key),
        });
        all.filter(|difference| difference.before != difference.after).collect()
    }

    /// As a TOML file, which [`ConfigFile`](super::ConfigFile) reads.
    pub fn to_toml(&self) -> String {
        self.iter().map(|(key, setting)| format!("{} = {}\n", key.name(), setting.value)).collect()
    }
}

/// As an object of names and values.
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, setting)| (key.name(), &setting.value)))
    }
}

impl Setting {
    /// Whether somebody said it for this run: in a file, in the environment or on the command line.
    pub fn is_said(&self) -> bool {
        !matches!(self.origin, Origin::Default | Origin::Auto(_) | Origin::Preset(_))
    }

    /// How an error names it: what was written, and where.
    pub fn describe(&self, key: Key) -> String {
        let Setting { value, origin } = self;
        match (origin, value) {
            (Origin::Argument(argument), Value::Switch(_)) => argument.clone(),
            (Origin::Argument(_), Value::Text(text)) => place(key, text, origin),
            _ => place(key, &value.to_string(), origin),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => formatter.write_str("default"),
            Origin::Auto(reason) => write!(formatter, "auto: {reason}"),
            Origin::Preset(name) => write!(formatter, "preset {name}"),
            Origin::File { path, line, column } => write!(formatter, "{}:{line}:{column}", path.display()),
            Origin::Environment(variable) => write!(formatter, "environment variable {variable}"),
            Origin::Caller => formatter.write_str("program"),
            Origin::Argument(_) => formatter.write_str("command line"),
        }
    }
}

/// Names a value by where it was said, in the form that it has there.
fn place(key: Key, shown: &str, origin: &Origin) -> String {
    let name = key.name();
    // What is not there is hard to see.
    let quoted = format!("{shown:?}");
    let shown = if shown.trim().is_empty() { &quoted } else { shown };
    match origin {
        Origin::Argument(argument) => format!("{argument} {shown}"),
        Origin::Caller => format!("{name} = {shown}"),
        Origin::Environment(variable) => format!("{variable}={shown}"),
        Origin::File { .. } => format!("{origin}: {name} = {shown}"),
        Origin::Default | Origin::Auto(_) | Origin::Preset(_) => format!("{name} = {shown} ({origin})"),
    }
}

fn refusal(key: Key, written: Written<'_>, shown: &str, origin: &Origin) -> Error {
    let kind = key.kind();
    let mut message = format!("{}: must be {kind}", place(key, shown, origin));
    let text = match written {
        Written::Bare(text) => text.to_str(),
        Written::Text(text) => Some(text),
        _ => None,
    };
    if let Some(word) = text.and_then(|text| nearest(text, kind.words().iter().copied())) {
        message.push_str(&format!("; did you mean `{word}`?"));
    }
    let error = Error::usage(message);
    match (written, kind.plain()) {
        (
            Written::Text(text),
            Kind::Count | Kind::CountOrZero | Kind::Whole | Kind::Number(_) | Kind::Switch { .. },
        ) if text.parse::<f64>().is_ok() || kind.words().contains(&text) => {
            error.advise("write it without quotes")
        }
        (Written::Number(_), Kind::Text) => error.advise("write it in double quotes"),
        // Its help is about the setting that is not the usual one.
        (_, Kind::Switch { usual, .. }) => {
            error.advise(format!("{} = {}: {}", key.name(), !usual, key.help()))
        }
        _ => error.advise(Remedy::Explain { setting: key.name(), help: key.help() }),
    }
}

/// `text` as a message quotes it.
pub(super) fn shorten(text: &str) -> String {
    one_line(text, 60)
}
