//! Settings of one source or of several merged: values by key, each with its origin.

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

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The built-in default.
    Default,
    /// Computed from something else, such as the number of training images. The text names it.
    Auto(String),
    /// The preset with this name.
    Preset(String),
    /// A file.
    File {
        /// Path of the file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// The environment variable with this name.
    Environment(&'static str),
    /// In the program that uses the library.
    Caller,
    /// In an argument, on a command line for example. The text is its name, as messages quote it.
    Argument(String),
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The value.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// A key whose values differ between two [`Settings`].
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The key.
    pub key: Key,
    /// Its value in the first, if it is set.
    pub before: Option<Value>,
    /// Its value in the second, if it is set.
    pub after: Option<Value>,
}

/// Values by key. Any key may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    by_key: BTreeMap<Key, Setting>,
}

impl Settings {
    /// Returns the values that apply where nothing else sets any.
    pub(super) fn defaults() -> Self {
        let mut settings = Settings::default();
        for key in Key::ALL {
            let value = match (key.kind(), key.default()) {
                (Kind::Switch { usual, .. }, _) => Some(Value::Switch(usual)),
                (kind, Some(text)) => Some(
                    kind.accept(Written::Bare(OsStr::new(text)))
                        .unwrap_or_else(|| panic!("{text} is allowed for {}", key.name())),
                ),
                (_, None) => None,
            };
            if let Some(value) = value {
                settings.set(key, value, Origin::Default);
            }
        }
        settings
    }

    /// Sets `key` to `value`, whose kind must be that of the key.
    pub fn set(&mut self, key: Key, value: Value, origin: Origin) {
        self.by_key.insert(key, Setting { value, origin });
    }

    /// Sets `key` to what was written, if that is allowed. `shown` is how an error quotes it.
    pub(crate) fn set_written(
        &mut self,
        key: Key,
        written: Written<'_>,
        shown: &str,
        origin: Origin,
    ) -> Result<()> {
        match key.kind().accept(written) {
            Some(value) => {
                self.set(key, value, origin);
                Ok(())
            }
            None => Err(refusal(key, written, shown, &origin)),
        }
    }

    /// Sets `key` to the text of a flag or an environment variable, if that is allowed.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the value is not allowed.
    pub fn set_text(&mut self, key: Key, text: &OsStr, origin: Origin) -> Result<()> {
        self.set_written(key, Written::Bare(text), &shorten(&text.to_string_lossy()), origin)
    }

    /// Returns the setting of `key`, if there is one.
    pub fn get(&self, key: Key) -> Option<&Setting> {
        self.by_key.get(&key)
    }

    /// Returns the text that is set for `key`, or `None` if there is none or the value is not text.
    pub fn text(&self, key: Key) -> Option<&str> {
        match &self.get(key)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the metric that the run monitors. Runs made before there was a choice have none set
    /// and use the default.
    pub fn monitor(&self) -> Monitor {
        let is_named = |monitor: &Monitor| self.text(Key::Monitor) == Some(monitor.name());
        Monitor::ALL.into_iter().find(is_named).unwrap_or_default()
    }

    /// Iterates over all settings, in the order of [`Key::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Key, &Setting)> {
        self.by_key.iter().map(|(key, setting)| (*key, setting))
    }

    /// Merges `upper` into these settings. Its values take precedence.
    pub fn put_on_top(&mut self, upper: Settings) {
        self.by_key.extend(upper.by_key);
    }

    /// Returns only the keys for which `keep` is true.
    #[must_use]
    pub fn filter(mut self, keep: impl Fn(Key) -> bool) -> Settings {
        self.by_key.retain(|key, _| keep(*key));
        self
    }

    /// Returns the keys whose values differ in `after`.
    pub fn differences(&self, after: &Settings) -> Vec<Difference> {
        let value = |settings: &Settings, key| settings.get(key).map(|setting| setting.value.clone());
        let all = Key::ALL.into_iter().map(|key| Difference {
            key,
            before: value(self, key),
            after: value(after, key),
        });
        all.filter(|difference| difference.before != difference.after).collect()
    }

    /// Returns a TOML file, which [`ConfigFile`](super::ConfigFile) reads.
    pub fn to_toml(&self) -> String {
        self.iter().map(|(key, setting)| format!("{} = {}\n", key.name(), setting.value)).collect()
    }
}

/// Serializes as an object of names and values.
impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, setting)| (key.name(), &setting.value)))
    }
}

impl Setting {
    /// Whether the value was given for this run: in a file, in the environment or on the command
    /// line.
    pub fn is_said(&self) -> bool {
        !matches!(self.origin, Origin::Default | Origin::Auto(_) | Origin::Preset(_))
    }

    /// Returns how an error names the setting: its value and where it came from.
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

/// Names a value and where it came from, in the notation of that source.
fn place(key: Key, shown: &str, origin: &Origin) -> String {
    let name = key.name();
    // Blank text is quoted to make it visible.
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
        // The help of a switch describes its non-default setting.
        (_, Kind::Switch { usual, .. }) => {
            error.advise(format!("{} = {}: {}", key.name(), !usual, key.help()))
        }
        _ => error.advise(Remedy::Explain { setting: key.name(), help: key.help() }),
    }
}

pub(super) fn shorten(text: &str) -> String {
    one_line(text, 60)
}
