//! A resolved configuration and the origin of its values.

use std::path::PathBuf;

use super::automatic::{self, TrainingSet};
use super::choices::Validation;
use super::configuration::Config;
use super::key::Key;
use super::settings::{Origin, Settings};
use super::value::Value;
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// A configuration and the origin of its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The configuration that the run's result depends on. If the settings contain the word `auto`,
    /// it is preliminary until [`settle`](Resolved::settle) replaces that with the values for a
    /// data set.
    pub config: Config,
    /// Every value with its origin. These include the data folder, the device and the output
    /// folder.
    pub settings: Settings,
}

impl Resolved {
    /// Replaces each `auto` with the value for these training images.
    #[must_use]
    pub fn settle(self, set: &TrainingSet) -> Resolved {
        let settings = automatic::settle(self.settings, Some(set));
        let mut complete = Settings::defaults();
        complete.put_on_top(settings.clone());
        Resolved { config: Config::from_settings(&complete), settings }
    }

    /// Checks that the settings fit a run on `images` training images. A patience needs validation
    /// images, and the warm-up must not be longer than the schedule.
    pub(crate) fn check_run(&self, images: usize, has_validation: bool) -> Result<()> {
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
            "use a shorter warm-up, for example a fraction of the schedule such as {}",
            [("warmup", "0.1")],
        )))
    }

    /// Returns the device to train on; see [`Key::Device`].
    pub fn device(&self) -> &str {
        self.text(Key::Device).unwrap_or("auto")
    }

    /// Whether GPU kernels may be benchmarked; see [`Key::Tune`].
    pub fn tune(&self) -> bool {
        let setting = self.settings.get(Key::Tune).map(|setting| &setting.value);
        setting != Some(&Value::Switch(false))
    }

    /// Returns the folder to write the run to, if one was given.
    pub fn out(&self) -> Option<PathBuf> {
        self.text(Key::Out).map(PathBuf::from)
    }

    /// Returns the folder of known data sets if a flag or a file names one. The environment
    /// variable is not included, because a [`Search`](crate::data::locate::Search) reads it itself
    /// and looks in other folders after that.
    pub fn data_dir(&self) -> Option<PathBuf> {
        let setting = self.settings.get(Key::DataDir)?;
        let is_of_environment = matches!(setting.origin, Origin::Environment(_));
        if is_of_environment { None } else { self.text(Key::DataDir).map(PathBuf::from) }
    }

    fn text(&self, key: Key) -> Option<&str> {
        self.settings.text(key)
    }
}

/// Checks that a run with a patience has images to validate on.
pub(super) fn check_patience(config: &Config, settings: &Settings, has_validation: bool) -> Result<()> {
    if config.patience.is_none() || config.validation != Validation::None || has_validation {
        return Ok(());
    }
    let patience = settings.get(Key::Patience).map(|setting| setting.describe(Key::Patience));
    Err(Error::usage(format!("{}: needs images to validate on", patience.unwrap_or_default())).advise(
        Remedy::settings(
            "hold out some of the training images, for example {}; {} validates on the test images, \
             which then no longer give an unbiased accuracy",
            [("validation", "0.1"), ("validation", "test")],
        ),
    ))
}
