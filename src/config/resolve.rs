//! Merges the sources of settings into a configuration.

use std::ffi::OsString;
use std::path::Path;

use super::automatic::{settle, without_needless_clipping};
use super::file::ConfigFile;
use super::key::Key;
use super::presets::{self, Preset};
use super::resolved::{Resolved, check_patience};
use super::settings::{Origin, Setting, Settings};
use super::value::Value;
use super::{Config, Interval};
use crate::data::catalogue::Catalogue;
use crate::error::{Error, Result};
use crate::nn::ModelSpec;
use crate::optim::{Hyperparameter, Optimizer, Schedule, Warmup};
use crate::remedy::Remedy;

/// The sources of a run's settings, other than presets and defaults.
pub struct Sources<'a> {
    /// Settings from the command line.
    pub flags: Settings,
    /// Returns the value of an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// A TOML file.
    pub file: Option<&'a Path>,
}

/// Merges all sources into a configuration. Flags take precedence over the environment, then the
/// file, the preset and the defaults.
///
/// # Errors
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if a value is not allowed. The message says where
/// the value came from and what is allowed.
pub fn resolve(sources: Sources<'_>) -> Result<Resolved> {
    complete(said(sources)?)
}

/// Merges the sources without preset and defaults. Flags take precedence over the environment, and
/// that over the file.
///
/// # Errors
/// As [`resolve`].
pub fn said(sources: Sources<'_>) -> Result<Settings> {
    let mut said = Settings::default();
    if let Some(path) = sources.file {
        said.put_on_top(ConfigFile::read(path)?.settings);
    }
    said.put_on_top(environment(sources.environment)?);
    said.put_on_top(sources.flags);
    Ok(said)
}

/// Adds the values of the preset and the defaults to `said`.
///
/// # Errors
/// As [`resolve`].
#[expect(clippy::missing_panics_doc, reason = "it holds by construction")]
pub fn complete(said: Settings) -> Result<Resolved> {
    let mut settings = Settings::defaults();
    let named = said.text(Key::Preset).unwrap_or(presets::DEFAULT);
    let preset = Preset::named(named).expect("a preset's name was checked when it was read");
    settings.set(Key::Preset, Value::Text(named.into()), Origin::Default);
    settings.put_on_top(preset.settings()?);
    settings.put_on_top(said);

    let settings = without_needless_clipping(settings);
    let config = Config::from_settings(&settle(settings.clone(), None));
    check_combinations(&config, &settings)?;
    Ok(Resolved { settings: of_run(&config, settings), config })
}

/// Returns the settings that the run uses. Keys of other optimizers and schedules are removed, and
/// defaults that depend on the optimizer or schedule are added.
fn of_run(config: &Config, settings: Settings) -> Settings {
    let followed = config.to_settings();
    let open: Vec<Key> =
        settings.iter().filter(|(key, setting)| setting.is_open(*key)).map(|(key, _)| key).collect();
    let mut settings =
        settings.filter(|key| !key.is_of_config() || open.contains(&key) || followed.get(key).is_some());
    for (key, setting) in followed.iter().filter(|(key, _)| settings.get(*key).is_none()).collect::<Vec<_>>()
    {
        settings.set(key, setting.value.clone(), Origin::Default);
    }
    settings
}

fn environment(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Settings> {
    let mut settings = Settings::default();
    for key in Key::ALL {
        let Some(name) = key.environment() else { continue };
        // An empty variable counts as unset.
        if let Some(text) = variable(name).filter(|text| !text.is_empty()) {
            settings.set_text(key, &text, Origin::Environment(name))?;
        }
    }
    Ok(settings)
}

/// Checks that the values fit together.
fn check_combinations(config: &Config, settings: &Settings) -> Result<()> {
    let describe = |key| settings.get(key).map(|setting| setting.describe(key)).unwrap_or_default();
    check_optimizer(config, settings)?;
    check_schedule(config, settings)?;
    if let Optimizer { momentum: 0.0, nesterov: true, .. } = config.optimizer {
        let (nesterov, momentum) = (describe(Key::Nesterov), describe(Key::Momentum));
        return Err(Error::usage(format!("{nesterov}: needs a momentum above 0, got {momentum}")).advise(
            Remedy::settings("set momentum, for example {}, or remove nesterov", [("momentum", "0.9")]),
        ));
    }
    config.groups.check_momentum(config.optimizer)?;
    // The number of classes is known only once the data is read.
    ModelSpec::parse(&config.model, 1).map_err(|error| error.at(describe(Key::Model)))?;
    // No known data set has its own validation images. Whether a folder has some is known only once
    // it is read.
    let is_folder = Catalogue::built_in().find(&config.data).is_none();
    check_patience(config, settings, is_folder)
}

/// Checks that every value given for this run applies to its optimizer. Values of presets and
/// defaults are ignored if they belong to another optimizer.
fn check_optimizer(config: &Config, settings: &Settings) -> Result<()> {
    let keys = |own: &[Hyperparameter]| own.iter().map(Key::of_hyperparameter).collect::<Vec<_>>();
    let known = keys(config.optimizer.hyperparameters());
    for key in keys(&Hyperparameter::ALL) {
        // A momentum of 0 means the same for every optimizer.
        let is_off = |setting: &&Setting| matches!(setting.value, Value::Number(0.0) | Value::Switch(false));
        let said = settings.get(key).filter(|setting| setting.is_said() && !is_off(setting));
        if let Some(setting) = said
            && !known.contains(&key)
        {
            let (name, described) = (config.optimizer.name(), setting.describe(key));
            let names: Vec<_> = known.iter().map(|key| key.name()).collect();
            return Err(Error::usage(format!("{described}: the optimizer {name} has no {}", key.name()))
                .advise(format!("remove it; {name} has {}", names.join(", "))));
        }
    }
    Ok(())
}

fn of_the_clock(described: &str) -> Error {
    Error::usage(format!("{described}: must be steps or epochs"))
        .advise("a learning rate that follows the clock would give different results on every machine")
}

/// Checks that the step schedule and its keys come together, and that one-cycle has a warm-up.
fn check_schedule(config: &Config, settings: &Settings) -> Result<()> {
    let describe = |key| settings.get(key).map(|setting| setting.describe(key)).unwrap_or_default();
    let is_said = |key| settings.get(key).is_some_and(Setting::is_said);
    if let Some(Interval::Minutes(_)) = config.schedule_steps {
        return Err(of_the_clock(&describe(Key::ScheduleSteps)));
    }
    match (config.schedule, config.step_every) {
        (Schedule::Step, None) => {
            return Err(Error::usage(format!("{}: needs an interval", describe(Key::Schedule))).advise(
                Remedy::settings(
                    "set step-every to steps or epochs, for example {}",
                    [("step-every", "30e")],
                ),
            ));
        }
        (Schedule::Step, Some(Interval::Minutes(_))) => {
            return Err(of_the_clock(&describe(Key::StepEvery)));
        }
        (Schedule::Step, Some(_)) => return Ok(()),
        (Schedule::OneCycle | Schedule::OneCycleLinear, _) if matches!(config.warmup, Warmup::Share(share) if !(0.0 < share && share < 1.0)) =>
        {
            let (schedule, warmup) = (describe(Key::Schedule), describe(Key::Warmup));
            return Err(Error::usage(format!(
                "{schedule}: needs a warm-up above 0 and below 1, got {warmup}"
            ))
            .advise(Remedy::settings(
                "set the fraction of all steps that the warm-up takes, for example {}",
                [("warmup", "0.3")],
            )));
        }
        _ => {}
    }
    match [Key::StepEvery, Key::StepFactor].into_iter().find(|key| is_said(*key)) {
        Some(key) => {
            let (schedule, name) = (config.schedule.name(), key.name());
            Err(Error::usage(format!("{}: the schedule {schedule} has no {name}", describe(key)))
                .advise(Remedy::settings("add {}, or remove it", [("schedule", "step")])))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Resolves a configuration file with this text.
    pub(in crate::config) fn resolve_file(text: &str) -> Result<Resolved> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("it is writable");
        resolve(Sources { flags: Settings::default(), environment: &|_| None, file: Some(&path) })
    }

    #[test]
    fn every_preset_resolves_and_comes_back_from_its_own_text() {
        for preset in presets::ALL {
            let config = resolve_file(&format!("preset = {:?}\n", preset.name)).expect("it is valid").config;
            assert_eq!(config.preset, preset.name);
            assert_eq!(resolve_file(&config.to_toml()).expect("it is valid").config, config);
        }
    }

    /// The momentum of a preset belongs to its own optimizer, and the defaults of the betas depend
    /// on the optimizer.
    #[test]
    fn another_optimizer_takes_its_own_usual_values() {
        let preset = presets::ALL.iter().find(|preset| {
            let settings = preset.settings().expect("it is valid");
            settings.get(Key::Momentum).is_some()
        });
        let names = preset.map(|preset| preset.name).into_iter().chain([presets::DEFAULT]);
        for name in names {
            for (optimizer, second) in [("adamw", 0.999), ("lion", 0.99)] {
                let text = format!("preset = {name:?}\noptimizer = {optimizer:?}\n");
                let config = resolve_file(&text).expect("it is valid").config;
                assert_eq!(config.optimizer.betas, [0.9, second]);
            }
        }
    }
}
