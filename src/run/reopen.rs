//! Opens the run of another process, so that it can be resumed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::directory::{CONFIG, EDITED_CONFIG, RunDirectory, Saved, lock};
use super::record::Record;
use super::{changes, checkpoint};
use crate::config::{
    Config, ConfigFile, Difference, Interval, Key, Origin, Settings, Sources, Value, resolve,
};
use crate::error::{Error, Result};
use crate::fs::disk::{Disk, RealDisk};
use crate::remedy::{Hint, Remedy};
use crate::train::Snapshot;

/// A run that can be resumed.
#[derive(Debug)]
pub struct Reopened {
    /// The directory that records the rest of the run.
    pub directory: RunDirectory,
    /// The state in the newest intact checkpoint.
    pub snapshot: Snapshot,
    /// The configuration of the checkpoint, with all changes since.
    pub config: Config,
    /// The same configuration by key.
    pub settings: Settings,
    /// The record of the run.
    pub record: Record,
    /// Problems with newer checkpoints (newest first), with the best checkpoint, or with
    /// `config.toml`.
    pub complaints: Vec<Complaint>,
}

/// A problem with a run's folder that does not prevent resuming it.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    /// The problem and how it was handled, in one line.
    pub message: String,
    /// What to do, if anything.
    pub remedy: Option<Remedy>,
}

impl From<String> for Complaint {
    fn from(message: String) -> Self {
        Complaint { message, remedy: None }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        self.remedy.iter().try_for_each(|remedy| write!(formatter, "; {remedy}"))
    }
}

/// Opens the run in the folder `run` at its newest intact checkpoint.
///
/// Newer checkpoints that are damaged are renamed, and leftovers of a killed process are removed.
///
/// # Errors
/// [`ErrorKind::Model`](crate::ErrorKind::Model) if no checkpoint is intact,
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if another process is training in the folder.
pub fn reopen(run: &Path) -> Result<Reopened> {
    reopen_on(Box::new(RealDisk), run)
}

/// Like [`reopen`], on a disk that may fail.
///
/// # Errors
/// As [`reopen`].
#[doc(hidden)]
pub fn reopen_on(disk: Box<dyn Disk>, run: &Path) -> Result<Reopened> {
    let record = Record::read(run)?;
    let lock = lock(run)?;
    let failed = |cause: io::Error| Error::io(format!("look through {}", run.display()), &cause);
    for folder in [run.to_path_buf(), run.join(checkpoint::FOLDER)] {
        for leftover in checkpoint::leftovers(&folder).map_err(failed)? {
            disk.remove(&leftover).map_err(failed)?;
        }
    }
    let Found { whole, damaged } = find(run).map_err(failed)?;
    let Some((last, mut snapshot)) = whole else { return Err(none_is_whole(run, &damaged)) };
    let mut complaints: Vec<Complaint> = Vec::new();
    for (folder, what) in damaged {
        let aside = set_aside(&*disk, &folder).map_err(failed)?;
        complaints.push(format!("{what}; it is {} now", aside.display()).into());
    }
    let saved = saved(run, &last, &snapshot, &mut complaints);
    let path = last.join(checkpoint::CONFIG);
    let config_toml = std::fs::read_to_string(&path).map_err(failed)?;
    let settings = changes::apply(&record.changes, ConfigFile::read(&path)?.settings)?;
    let config = resolve_alone(settings.clone())?;
    let config_toml = if record.changes.is_empty() { config_toml } else { config.to_toml() };
    let since = &mut snapshot.position.patience_since;
    *since = (*since).max(changes::patience_since(&record.changes));
    let directory = RunDirectory::go_on(disk, run, config_toml, record.clone(), saved, lock)?;
    if let Some(edited) = edits(run, &config) {
        directory.restore_config()?;
        complaints.push(edited);
    }
    for complaint in &complaints {
        directory.log(&complaint.to_string())?;
    }
    let settings = with_recorded_schedule(settings, &config, &record);
    let config = resolve_alone(settings.clone())?;
    Ok(Reopened { directory, snapshot, config, settings, record, complaints })
}

/// Returns the settings with the schedule that the run was trained with so far. In older runs
/// `max-steps` did not shorten the schedule, so it keeps the length of all epochs.
fn with_recorded_schedule(mut settings: Settings, config: &Config, record: &Record) -> Settings {
    let is_older = record.schedule_steps.is_none() && config.max_steps.is_some();
    if is_older && config.schedule_steps.is_none() {
        let all = Interval::Epochs(config.epochs).to_string();
        settings.set(Key::ScheduleSteps, Value::Text(all), Origin::Default);
    }
    settings
}

/// Returns the configuration of these settings, without the environment.
fn resolve_alone(settings: Settings) -> Result<Config> {
    Ok(resolve(Sources { flags: settings, environment: &|_| None, file: None })?.config)
}

/// Returns a complaint if `config.toml` in the folder `run` differs from the run's configuration.
fn edits(run: &Path, config: &Config) -> Option<Complaint> {
    let path = run.join(CONFIG);
    let (shown, edited) = (path.display(), run.join(EDITED_CONFIG));
    let aside = edited.display();
    let found = match ConfigFile::read(&path).and_then(|file| resolve_alone(file.settings)) {
        Ok(found) => found,
        Err(_) if !path.exists() => return Some(format!("{shown} was missing and is written again").into()),
        Err(error) => {
            let message =
                format!("{shown} was edited and is not valid any more ({error}): it is {aside} now");
            return Some(message.into());
        }
    };
    let differences = config.to_settings().differences(&found.to_settings());
    if differences.is_empty() {
        return None;
    }
    let shown_value =
        |value: &Option<Value>| value.as_ref().map_or_else(|| "not set".into(), ToString::to_string);
    let describe = |Difference { key, before, after }: &Difference| {
        format!("{} is {} instead of {}", key.name(), shown_value(after), shown_value(before))
    };
    let described: Vec<_> = differences.iter().map(describe).collect();
    let hints = differences.iter().map(change_on_resume).collect::<Option<Vec<_>>>();
    let remedy = match hints {
        Some(hints) => Remedy::ResumeWith { run: run.into(), hints },
        None => Remedy::TrainWith(edited.clone()),
    };
    let message = format!(
        "{shown} was edited ({}), which changes nothing: the run keeps its settings, and the edited file is \
         {aside} now",
        described.join(", ")
    );
    Some(Complaint { message, remedy: Some(remedy) })
}

/// Returns the setting that makes this change when a run is resumed, if there is one.
fn change_on_resume(difference: &Difference) -> Option<Hint> {
    match (difference.key, &difference.after) {
        (key @ (Key::Epochs | Key::Lr), Some(value)) => {
            Some(Hint { setting: key.name(), value: Some(value.to_string()) })
        }
        _ => None,
    }
}

/// The result of searching a run's checkpoints.
struct Found {
    /// The newest intact checkpoint.
    whole: Option<(PathBuf, Snapshot)>,
    /// Newer checkpoints, with what is wrong with them.
    damaged: Vec<(PathBuf, String)>,
}

fn find(run: &Path) -> io::Result<Found> {
    let mut damaged = Vec::new();
    for folder in checkpoint::list(run)? {
        let what = match checkpoint::load(&folder) {
            Ok(snapshot) if folder.ends_with(checkpoint::name(snapshot.position.step)) => {
                return Ok(Found { whole: Some((folder, snapshot)), damaged });
            }
            Ok(snapshot) => format!("{} is that of step {}", folder.display(), snapshot.position.step),
            Err(error) => error.to_string(),
        };
        damaged.push((folder, what));
    }
    Ok(Found { whole: None, damaged })
}

fn none_is_whole(run: &Path, damaged: &[(PathBuf, String)]) -> Error {
    let shown = run.display();
    let error = match damaged.first() {
        Some((_, what)) => Error::model(format!("{shown} has no whole checkpoint: {what}")),
        None => Error::model(format!("{shown} has no checkpoint yet")),
    };
    error.advise(Remedy::StartAgain(run.join(CONFIG)))
}

/// Returns the checkpoints of the run if it is resumed from `last`.
fn saved(run: &Path, last: &Path, snapshot: &Snapshot, complaints: &mut Vec<Complaint>) -> Saved {
    let name = |step| format!("{}/{}", checkpoint::FOLDER, checkpoint::name(step));
    let last_name = name(snapshot.position.step);
    let best = snapshot.position.best.map(|best| run.join(name(best.step)));
    let best = match best.filter(|best| best != last) {
        // The best checkpoint does not exist if it was not to be kept.
        Some(best) if best.is_dir() => match checkpoint::load(&best) {
            Ok(_) => name(snapshot.position.best.map_or(0, |best| best.step)),
            Err(error) => {
                complaints.push(format!("the best checkpoint is lost: {error}").into());
                last_name.clone()
            }
        },
        _ => last_name.clone(),
    };
    Saved { last: last_name, best }
}

/// Renames a damaged checkpoint, so that it is kept but never read again.
fn set_aside(disk: &dyn Disk, folder: &Path) -> io::Result<PathBuf> {
    let aside = folder.with_extension("damaged");
    disk.remove(&aside)?;
    disk.rename(folder, &aside)?;
    Ok(aside)
}
