//! Reopens a run to resume it, with changed settings if the user asks for them.

use std::path::Path;

use super::{output, remedy};
use crate::config::{Config, Key, Setting, Settings, Sources, Value, absolute_data, resolve};
use crate::error::{Error, Result};
use crate::optim::{Schedule, Warmup};
use crate::run::{Change, Continuation, Reopened, State, reopen};
use crate::text::human::figure;
use crate::train::{Ending, Position, Trainer};

/// A run that was reopened.
pub(super) struct Opened {
    /// The run with the requested changes.
    pub(super) run: Continuation,
    /// A message that the run is finished and how to train it further, if nothing is left to train.
    pub(super) finished: Option<String>,
}

/// Opens the run in the folder `run` and applies these changes, in memory only.
pub(super) fn open(run: &Path, changes: &Settings) -> Result<Opened> {
    let Reopened { directory, mut snapshot, config: before, settings, record, complaints } = reopen(run)?;
    for complaint in &complaints {
        output::print_note(&format!("note: {}\n", remedy::complaint(complaint)));
    }
    let config = changed(settings, changes)?;
    let position = &mut snapshot.position;
    let ending = position.ending(&before);
    let renews_patience = changes.get(Key::Epochs).is_some() && ending == Some(Ending::Patience);
    if renews_patience {
        position.patience_since = position.epochs;
    }
    let mut change = Change::between(&before, &config, position);
    if renews_patience {
        let unchanged = || Change::none(position);
        change = Some(Change { renews_patience, ..change.unwrap_or_else(unchanged) });
    }
    // A run that was killed after its last step still has to write its report.
    let is_finished = matches!(record.state, Some(State::Finished) | None);
    let finished = match position.ending(&config) {
        Some(_) if ending.is_none() || config.epochs < position.epochs => {
            return Err(too_few_epochs(&config, position));
        }
        Some(ending) if is_finished => Some(ending),
        _ => None,
    };
    let finished = finished.map(|ending| finished_words(run, ending, &config, position));
    if let (Some(finished), Some(setting)) = (&finished, changes.get(Key::Lr)) {
        let described = setting.describe(Key::Lr);
        let (what, advice) = finished.split_once("; ").unwrap_or((finished, ""));
        return Err(Error::usage(format!("{described}: {what}")).advise(format!("{advice} {described}")));
    }
    Ok(Opened { run: Continuation { directory, snapshot, config, record, change }, finished })
}

/// Returns the configuration of a run with these settings after the changes.
fn changed(settings: Settings, changes: &Settings) -> Result<Config> {
    let asks_for_epochs = changes.get(Key::Epochs).is_some();
    // An explicit number of epochs overrides other limits, and the schedule ends with them.
    let is_replaced = |key| asks_for_epochs && matches!(key, Key::MaxSteps | Key::ScheduleSteps);
    let mut settings = settings.filter(|key| !is_replaced(key));
    settings.put_on_top(changes.clone());
    if let Some(Setting { value: Value::Text(data), origin }) = changes.get(Key::Data) {
        settings.set(Key::Data, Value::Text(absolute_data(data)), origin.clone());
    }
    Ok(resolve(Sources { flags: settings, environment: &|_| None, file: None })?.config)
}

fn too_few_epochs(config: &Config, position: &Position) -> Error {
    let least = position.least_epochs();
    Error::usage(format!(
        "--epochs {}: the run has already trained {} steps, in {} epochs",
        config.epochs, position.step, position.epochs
    ))
    .advise(format!("use at least {least}"))
}

/// Returns the message about a run that is finished, such as `this run is finished (10 of 10
/// epochs); train it further with: shadegrad resume RUN --epochs 12`.
fn finished_words(run: &Path, ending: Ending, config: &Config, position: &Position) -> String {
    let Position { step, epochs, .. } = position;
    let all = config.epochs;
    let (how, next) = match ending {
        Ending::Epochs => (format!("{epochs} of {all} epochs"), all + all.div_ceil(5)),
        Ending::MaxSteps => {
            let most = config.max_steps.unwrap_or(*step);
            (format!("{step} of {most} steps"), all.max(position.least_epochs()))
        }
        Ending::Patience => (format!("stopped early after {epochs} of {all} epochs"), all),
    };
    format!(
        "this run is finished ({how}); train it further with: shadegrad resume {} --epochs {next}",
        run.display()
    )
}

/// Returns the note about a run that is resumed with other settings.
pub(super) fn note(change: &Change, config: &Config, trainer: &Trainer<'_>) -> String {
    if change.is_of_place() {
        return format!("note: {change}\n");
    }
    let rate = trainer.next_learning_rate();
    let is_constant = config.schedule == Schedule::Constant && config.warmup == Warmup::Share(0.0);
    let schedule = if is_constant {
        format!("the learning rate is {rate}")
    } else {
        let (name, steps) = (config.schedule.name(), trainer.schedule_steps());
        let rate = figure(rate.into());
        format!("the {name} schedule now covers {steps} steps and continues at a learning rate of {rate}")
    };
    format!("note: {change}: {schedule}; run.json records both the old and the new settings\n")
}
