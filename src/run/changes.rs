//! Settings that were changed when a run was resumed.
//!
//! `run.json` lists the changes, oldest first. They are applied to the configuration of every
//! checkpoint of the run. A checkpoint that was saved before a change lacks the new values; one
//! that was saved after it already has them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clock;
use crate::config::{self, Config, Key, Origin, Settings, Written};
use crate::error::{Error, Result};
use crate::train::Position;

/// Settings that were changed at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The time of the change, in UTC.
    pub time: String,
    /// Number of optimizer steps the run had completed.
    pub step: usize,
    /// Number of epochs the run had completed.
    pub epochs: usize,
    /// The old values by name; null if a setting had none.
    pub before: Map<String, Value>,
    /// The new values by name; null if a setting has none now.
    pub after: Map<String, Value>,
    /// Whether early stopping counts from here, because it had ended the run before.
    #[serde(default)]
    pub renews_patience: bool,
}

impl Change {
    /// Returns the change of a run at `position` from one configuration to another, or `None` if
    /// they are equal.
    pub fn between(before: &Config, after: &Config, position: &Position) -> Option<Self> {
        let mut change = Change::none(position);
        for difference in before.to_settings().differences(&after.to_settings()) {
            let name = difference.key.name();
            change.before.insert(name.into(), to_json(difference.before.as_ref()));
            change.after.insert(name.into(), to_json(difference.after.as_ref()));
        }
        (before != after).then_some(change)
    }

    /// Returns a change without any setting.
    pub fn none(position: &Position) -> Self {
        Change {
            time: clock::now(clock::LOG),
            step: position.step,
            epochs: position.epochs,
            before: Map::new(),
            after: Map::new(),
            renews_patience: false,
        }
    }

    /// Whether only the location of the data has changed, which does not affect the results.
    pub fn is_of_place(&self) -> bool {
        !self.renews_patience && self.after.keys().all(|name| name == Key::Data.name())
    }

    fn apply(&self, mut settings: Settings) -> Result<Settings> {
        for (name, value) in &self.after {
            let damaged = || Error::model(format!("run.json has a change of `{name}` to {value}"));
            let key = Key::named(name).ok_or_else(damaged)?;
            let shown = value.to_string();
            let written = match value {
                Value::Null => {
                    settings = settings.filter(|other| other != key);
                    continue;
                }
                Value::String(text) => Written::Text(text),
                Value::Number(_) => Written::Number(&shown),
                Value::Bool(on) => Written::Switch(*on),
                Value::Array(_) | Value::Object(_) => return Err(damaged()),
            };
            settings.set_written(key, written, &shown, Origin::Caller)?;
        }
        Ok(settings)
    }
}

/// Formats the change like `epochs 12 (was 10), max-steps none (was 20)`.
impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: Option<&Value>| match value {
            None | Some(Value::Null) => "none".into(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        let mut parts: Vec<String> = Vec::new();
        for (name, value) in &self.after {
            parts.push(format!("{name} {} (was {})", shown(Some(value)), shown(self.before.get(name))));
        }
        if self.renews_patience {
            parts.push(format!("patience restarts after epoch {}", self.epochs));
        }
        formatter.write_str(&parts.join(", "))
    }
}

/// Applies all changes of a run to the settings of a checkpoint.
pub(super) fn apply(changes: &[Change], settings: Settings) -> Result<Settings> {
    changes.iter().try_fold(settings, |settings, change| change.apply(settings))
}

/// Returns the number of epochs after which early stopping starts to count.
pub(super) fn patience_since(changes: &[Change]) -> usize {
    changes.iter().filter(|change| change.renews_patience).map(|change| change.epochs).max().unwrap_or(0)
}

fn to_json(value: Option<&config::Value>) -> Value {
    match value {
        None => Value::Null,
        Some(config::Value::Text(text)) => Value::String(text.clone()),
        // This writes the fewest digits that read back as the same number.
        Some(value) => serde_json::from_str(&value.to_string()).unwrap_or(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, Sources, resolve};

    fn config(text: &str) -> (Settings, Config) {
        let settings = ConfigFile::parse(text, |_, _| Origin::Caller).expect("it is valid").settings;
        let sources = Sources { flags: settings.clone(), environment: &|_| None, file: None };
        (settings, resolve(sources).expect("it is valid").config)
    }

    #[test]
    fn changes_lead_from_one_configuration_to_the_other() {
        let texts = [
            "epochs = 10\nlr = 0.05\nmax-steps = 20\n",
            "epochs = 12\nlr = 1e-10\ndata = \"C:\\\\with \\\"quotes\\\"\"\n",
            "epochs = 12\nlr = 0.1\nmax-steps = 4294967295\nshuffle = false\n",
        ];
        for from in texts {
            for to in texts {
                let ((settings, before), (_, after)) = (config(from), config(to));
                let change = Change::between(&before, &after, &Position::default());
                assert_eq!(change.is_none(), from == to);
                let text = serde_json::to_string(&change).expect("plain values");
                let change: Option<Change> = serde_json::from_str(&text).expect("as it was written");
                let changes: Vec<_> = change.into_iter().collect();
                for settings in [settings, after.to_settings()] {
                    let changed = apply(&changes, settings).expect("they are valid");
                    let sources = Sources { flags: changed, environment: &|_| None, file: None };
                    assert_eq!(resolve(sources).expect("it is valid").config, after, "{from} {to}");
                }
            }
        }
    }

    #[test]
    fn a_change_says_what_it_was_before() {
        let ((_, before), (_, after)) = (config("epochs = 10\nmax-steps = 20\n"), config("epochs = 12\n"));
        let change = Change::between(&before, &after, &Position::default()).expect("they differ");
        assert_eq!(change.to_string(), "epochs 12 (was 10), max-steps none (was 20)");
    }
}
