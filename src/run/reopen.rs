//! Finds what another process has recorded of a run, so that the run can go on.

use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint;
use super::directory::{RunDirectory, Saved, lock};
use super::disk::{Disk, RealDisk};
use super::record::Record;
use crate::error::{Error, Result};
use crate::train::Snapshot;

/// A run that can go on.
#[derive(Debug)]
pub struct Reopened {
    /// Where the rest of it is recorded.
    pub directory: RunDirectory,
    /// The run as its last whole checkpoint has it.
    pub snapshot: Snapshot,
    /// The checkpoint's configuration, a TOML file.
    pub config: PathBuf,
    /// How the run came about.
    pub record: Record,
    /// What was wrong with later checkpoints, newest first, or with the best one.
    pub complaints: Vec<String>,
}

/// Opens the run in the folder `run`, at its last whole checkpoint.
///
/// Checkpoints that are damaged are set aside under another name, and what a killed process has left
/// half made is removed.
///
/// # Errors
/// [`ErrorKind::Model`](crate::ErrorKind::Model) where no checkpoint is whole,
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where another process trains in the folder.
pub fn reopen(run: &Path) -> Result<Reopened> {
    reopen_on(Box::new(RealDisk), run)
}

/// As [`reopen`], on a disk that may fail.
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
    let mut complaints = Vec::new();
    for found in checkpoint::list(run).map_err(failed)? {
        match checkpoint::load(&found) {
            Ok(snapshot) if found.ends_with(checkpoint::name(snapshot.position.step)) => {
                let saved = saved(run, &found, &snapshot, &mut complaints);
                let config = found.join(checkpoint::CONFIG);
                let config_toml = std::fs::read_to_string(&config).map_err(failed)?;
                let directory = RunDirectory::go_on(disk, run, config_toml, record.clone(), saved, lock)?;
                for complaint in &complaints {
                    directory.log(complaint)?;
                }
                return Ok(Reopened { directory, snapshot, config, record, complaints });
            }
            other => {
                let what = match other {
                    Ok(snapshot) => format!("{} is that of step {}", found.display(), snapshot.position.step),
                    Err(error) => error.to_string(),
                };
                let aside = set_aside(&*disk, &found).map_err(failed)?;
                complaints.push(format!("{what}; it is {} now", aside.display()));
            }
        }
    }
    let error = match complaints.first() {
        Some(complaint) => Error::model(format!("{} has no whole checkpoint: {complaint}", run.display())),
        None => Error::model(format!("{} has no checkpoint yet", run.display())),
    };
    let config = run.join("config.toml");
    Err(error.advise(format!("start again with: shadegrad train --config {}", config.display())))
}

/// Which checkpoints the run has, if it goes on from `last`.
fn saved(run: &Path, last: &Path, snapshot: &Snapshot, complaints: &mut Vec<String>) -> Saved {
    let name = |step| format!("{}/{}", checkpoint::FOLDER, checkpoint::name(step));
    let last_name = name(snapshot.position.step);
    let best = snapshot.position.best.map(|best| run.join(name(best.step)));
    let best = match best.filter(|best| best != last) {
        // Where the best was not to be kept, it is no longer there.
        Some(best) if best.is_dir() => match checkpoint::load(&best) {
            Ok(_) => name(snapshot.position.best.map_or(0, |best| best.step)),
            Err(error) => {
                complaints.push(format!("the best checkpoint is lost: {error}"));
                last_name.clone()
            }
        },
        _ => last_name.clone(),
    };
    Saved { last: last_name, best }
}

/// Renames a damaged checkpoint, so that it is never looked at again and nobody misses it.
fn set_aside(disk: &dyn Disk, folder: &Path) -> io::Result<PathBuf> {
    let aside = folder.with_extension("damaged");
    disk.remove(&aside)?;
    disk.rename(folder, &aside)?;
    Ok(aside)
}
