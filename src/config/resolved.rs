//! A resolved configuration, and how it came about.

use std::path::PathBuf;

use super::automatic::{self, TrainingSet};
use super::choices::Validation;
use super::configuration::Config;
use super::key::Key;
use super::settings::{Origin, Settings};
use super::value::Value;
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// A configuration, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// What the run's outcome depends on. Where the settings have the word `auto`, it is only one
    /// of the possible configurations until [`settle`](Resolved::settle) has put the value for a
    /// data set there.
    pub config: Config,
    /// Every value with its origin; also where the data are, what trains and where it is recorded.
    pub settings: Settings,
}

impl Resolved {
    /// The same with a plain value in place of each `auto`: the one for these training images.
    pub fn settle(self, set: &TrainingSet) -> Resolved {
        let settings = automatic::settle(self.settings, Some(set));
        Resolved { config: self.config.settled(&settings), settings }
    }

    /// Fails where the settings do not fit a run on so many training images: where it needs images
    /// to validate on, and the data has none, and where the warm-up is longer than the schedule.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage).
    pub fn check_run(&self, images: usize, has_validation: bool) -> Result<()> {
        check_patience(&self.config, &self.settings, has_validation)?;
        let rate = self.config.learning_rates(self.config.steps_per_epoch(images));
        if rate.warmup <= rate.steps as f64 {
            return Ok(());
        }
        let described = self.settings.get(Key::Warmup).map(|setting| setting.describe(Key::Warmup));
        let what = if self.config.schedule_steps.is_some() { "schedule" } else { "run" };
        let (described, warmup, steps) = (described.unwrap_or_default(), rate.warmup, rate.steps);
        Err(Error::usage(format!(
            "{described}: the warm-up takes {warmup} steps, more than the {what}, which has {steps}"
        ))
        .advise(Remedy::settings(
            "use a shorter warm-up, for example a share of the schedule such as {}",
            [("warmup", "0.1")],
        )))
    }

    /// What to train on: see [`Key::Device`].
    pub fn device(&self) -> &str {
        self.text(Key::Device).unwrap_or("auto")
    }

    /// Whether a GPU may measure which kernels are fastest: see [`Key::Tune`].
    pub fn tune(&self) -> bool {
        let setting = self.settings.get(Key::Tune).map(|setting| &setting.value);
        setting != Some(&Value::Switch(false))
    }

    /// Where the run is to be recorded, if somebody said so.
    pub fn out(&self) -> Option<PathBuf> {
        self.text(Key::Out).map(PathBuf::from)
    }

    /// Where known data sets are, if a flag or a file says so. What the environment says is not in
    /// here: a [`Search`](crate::data::locate::Search) looks there itself, and elsewhere after that.
    pub fn data_dir(&self) -> Option<PathBuf> {
        let setting = self.settings.get(Key::DataDir)?;
        let is_of_environment = matches!(setting.origin, Origin::Environment(_));
        if is_of_environment { None } else { self.text(Key::DataDir).map(PathBuf::from) }
    }

    fn text(&self, key: Key) -> Option<&str> {
        self.settings.text(key)
    }
}

/// Patience needs images to validate on.
pub(super) fn check_patience(config: &Config, settings: &Settings, has_validation: bool) -> Result<()> {
    if config.patience.is_none() || config.validation != Validation::None || has_validation {
        return Ok(());
    }
    let patience = settings.get(Key::Patience).map(|setting| setting.describe(Key::Patience));
    Err(Error::usage(format!("{}: needs images to validate on", patience.unwrap_or_default())).advise(
        Remedy::settings(
            "hold out some of the training images, for example {}; {} validates on the test images, \
             which then no longer tell how good the model is",
            [("validation", "0.1"), ("validation", "test")],
        ),
    ))
}
