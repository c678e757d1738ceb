//! The run directory: all files of one training run. Each file is complete at any time.
//!
//! ```text
//! config.toml              the resolved configuration, from which the run can be started again
//! run.json                 versions, device and limits, data set, hash of its files, seed, state
//! metrics.jsonl            one line per epoch, as `event` renders it
//! metrics.csv              the same for spreadsheets
//! events.out.tfevents.*    the same for TensorBoard, and curves per step (by `EventFile`)
//! train/, test/, ...       loss and accuracy for TensorBoard, so that it overlays the curves
//! log.txt                  log with timestamps
//! report.html              a report in one page, written at the end (by `report`)
//! evaluation.json          the model's predictions in the report, from which it can be rewritten
//! checkpoints/<step>/      the last two and the best: see `checkpoint`
//! best, last               text files with a checkpoint's path, relative to the run directory
//! lock                     held by the process that trains
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::changes::Change;
use super::record::{self, Record};
use super::state::State;
use super::{checkpoint, clock, metrics_file};
use crate::checkpoint::BEST;
use crate::error::{Error, Result};
use crate::fs::atomic;
use crate::fs::disk::{Disk, RealDisk, failure};
use crate::remedy::Remedy;
use crate::train::{Checkpoint, End, Epoch, Observer, Start, Warning};

/// Text file with the path of the newest checkpoint, relative to the run directory.
const LAST: &str = "last";

/// File name of the resolved configuration.
pub(super) const CONFIG: &str = "config.toml";

/// File name of a `config.toml` that was edited after the start. It does not affect the run.
pub(super) const EDITED_CONFIG: &str = "config.edited.toml";

/// The field of `run.json` with the changes of a run.
const CHANGES: &str = "changes";

/// An observer that records a run in a directory of its own.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    disk: Box<dyn Disk>,
    config_toml: String,
    data_dir: Option<PathBuf>,
    /// The record of a run that is resumed.
    begun: Option<Record>,
    /// The contents of `run.json`.
    facts: Value,
    is_under_way: bool,
    saved: Option<Saved>,
    metrics_synced: bool,
    /// The operating system releases the lock when the process ends, for whatever reason.
    _lock: File,
}

/// The paths of checkpoints, relative to the run directory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Saved {
    pub(super) last: String,
    /// The best checkpoint when `last` was saved.
    pub(super) best: String,
}

impl RunDirectory {
    /// Creates the directory of a new run in `path`, which must be empty.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the directory cannot be written,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if another process is training in it.
    pub fn create(path: &Path, config_toml: String) -> Result<Self> {
        RunDirectory::create_on(Box::new(RealDisk), path, config_toml)
    }

    /// Like [`RunDirectory::create`], on a disk that may fail.
    ///
    /// # Errors
    /// As [`RunDirectory::create`].
    #[doc(hidden)]
    pub fn create_on(disk: Box<dyn Disk>, path: &Path, config_toml: String) -> Result<Self> {
        let checkpoints = path.join(checkpoint::FOLDER);
        fs::create_dir_all(&checkpoints)
            .map_err(|cause| Error::io(format!("create {}", checkpoints.display()), &cause))?;
        let (path, _lock) = (path.to_path_buf(), lock(path)?);
        Ok(RunDirectory {
            path,
            disk,
            config_toml,
            data_dir: None,
            begun: None,
            facts: Value::Null,
            is_under_way: false,
            saved: None,
            metrics_synced: true,
            _lock,
        })
    }

    /// Reopens the directory of the run in `path`, which has the checkpoints `saved`.
    pub(super) fn go_on(
        disk: Box<dyn Disk>,
        path: &Path,
        config_toml: String,
        begun: Record,
        saved: Saved,
        lock: File,
    ) -> Result<Self> {
        let directory = RunDirectory {
            path: path.to_path_buf(),
            disk,
            config_toml,
            data_dir: None,
            facts: begun.facts.clone(),
            begun: Some(begun),
            is_under_way: false,
            saved: Some(saved.clone()),
            metrics_synced: true,
            _lock: lock,
        };
        // A process that was killed may have saved a checkpoint without updating the pointers.
        directory.point(LAST, &saved.last)?;
        directory.point(BEST, &saved.best)?;
        Ok(directory)
    }

    /// Records that settings of the resumed run have changed, and its new configuration. New
    /// checkpoints contain the new configuration. For older ones, `run.json` records what to
    /// change.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the disk fails.
    #[expect(clippy::missing_panics_doc, reason = "it holds by construction")]
    pub fn change(&mut self, change: &Change, config_toml: String) -> Result<()> {
        let change_json = serde_json::to_value(change).expect("plain values turn into JSON");
        match self.facts.get_mut(CHANGES).and_then(Value::as_array_mut) {
            Some(changes) => changes.push(change_json),
            None => self.facts[CHANGES] = json!([change_json]),
        }
        self.write_facts()?;
        self.config_toml = config_toml;
        self.write(CONFIG, &self.config_toml)?;
        self.log(&format!("changed: {change}"))
    }

    /// Records a new folder of known data sets for a run that is resumed.
    pub(crate) fn move_data_dir(&mut self, data_dir: &Path) -> Result<()> {
        self.facts["data_dir"] = record::data_dir(Some(data_dir));
        self.write_facts()
    }

    fn enter(&mut self, state: State, error: Option<&Error>) -> Result<()> {
        self.is_under_way = state == State::Running;
        self.facts["state"] = json!(state);
        match (error, self.facts.as_object_mut()) {
            (Some(error), _) => self.facts["error"] = json!(error.to_string()),
            (None, Some(facts)) => drop(facts.shift_remove("error")),
            (None, None) => {}
        }
        self.write_facts()
    }

    fn write_facts(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.facts).expect("plain values turn into JSON");
        self.write(record::NAME, &text)
    }

    /// Renames an edited `config.toml` and restores the run's own.
    pub(super) fn restore_config(&self) -> Result<()> {
        let [from, to] = [CONFIG, EDITED_CONFIG].map(|name| self.path.join(name));
        match self.disk.rename(&from, &to) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(format!("rename {}", from.display()), &cause))
            }
            _ => self.write(CONFIG, &self.config_toml),
        }
    }

    /// Records that known data sets are only searched in `data_dir`, also when the run is resumed.
    #[must_use]
    pub fn with_data_dir(mut self, data_dir: Option<PathBuf>) -> Self {
        self.data_dir = data_dir;
        self
    }

    /// Logs warnings about the data set, such as ignored pictures.
    pub(crate) fn log_warnings(&self, warnings: &[String]) -> Result<()> {
        warnings.iter().try_for_each(|warning| self.log_warning(warning))
    }

    fn log_warning(&self, warning: &str) -> Result<()> {
        self.log(&format!("warning: {warning}"))
    }

    pub(super) fn log(&self, line: &str) -> Result<()> {
        self.append("log.txt", &format!("{} {line}", clock::now(clock::LOG)))
    }

    fn append(&self, name: &str, line: &str) -> Result<()> {
        let line = format!("{line}\n");
        self.disk
            .append(&self.path.join(name), line.as_bytes())
            .map_err(|cause| self.disk_failure(format!("write {name}"), line.len() as u64, &cause))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        atomic::write_on(&*self.disk, &self.path.join(name), text.as_bytes())
            .map_err(|cause| self.disk_failure(format!("write {name}"), text.len() as u64, &cause))
    }

    fn point(&self, name: &str, checkpoint: &str) -> Result<()> {
        self.write(name, &format!("{checkpoint}\n"))
    }

    fn disk_failure(&self, doing: String, bytes: u64, cause: &io::Error) -> Error {
        let error =
            failure(&*self.disk, format!("{doing} in {}", self.path.display()), &self.path, bytes, cause);
        let is_saved = checkpoint::list(&self.path).is_ok_and(|all| !all.is_empty());
        match error.remedy() {
            Some(Remedy::ThenResume(first)) if !is_saved => {
                let advice = format!("{first}; nothing was saved yet, so start again");
                error.advise(advice)
            }
            _ => error,
        }
    }

    /// Flushes the metrics. A checkpoint must not contain epochs that a power failure removes from
    /// them.
    fn sync_metrics(&mut self) -> Result<()> {
        if !self.metrics_synced {
            for name in [metrics_file::JSON, metrics_file::CSV] {
                let synced = self.disk.sync(&self.path.join(name));
                synced.map_err(|cause| self.disk_failure(format!("write {name}"), 0, &cause))?;
            }
        }
        self.metrics_synced = true;
        Ok(())
    }

    /// Removes all checkpoints except those of the last two saves.
    fn prune(&self, saves: [Option<&Saved>; 2]) -> Result<()> {
        let kept: Vec<PathBuf> = saves
            .into_iter()
            .flatten()
            .flat_map(|saved| [self.path.join(&saved.last), self.path.join(&saved.best)])
            .collect();
        let removed = checkpoint::list(&self.path).and_then(|all| {
            let mut old = all.into_iter().filter(|checkpoint| !kept.contains(checkpoint));
            old.try_for_each(|checkpoint| checkpoint::remove(&*self.disk, &checkpoint))
        });
        removed.map_err(|cause| self.disk_failure("remove an old checkpoint".into(), 0, &cause))
    }
}

/// Number of attempts to take the lock, and the pause between them. A process that was just killed
/// may need a moment to exit.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Locks the run in `run` against training by other processes, until the file is dropped.
pub(super) fn lock(run: &Path) -> Result<File> {
    let path = run.join("lock");
    let failed = |cause| Error::io(format!("write {}", path.display()), &cause);
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    let mut held = file.try_lock();
    for _ in 0..LOCK_TRIES {
        if !matches!(held, Err(TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(LOCK_PAUSE);
        held = file.try_lock();
    }
    match held {
        Err(TryLockError::WouldBlock) => {
            Err(Error::usage(format!("another process is training in {}", run.display()))
                .advise("wait for it, or stop it"))
        }
        // Some file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

impl Observer for RunDirectory {
    fn start(&mut self, start: &Start) -> Result<()> {
        let what = format!("on {}: {} on {}", start.device.name, start.model, start.dataset.name);
        if let Some(begun) = &self.begun {
            begun.data_files.check(&start.files)?;
            metrics_file::keep_epochs(&*self.disk, &self.path, start.epochs)?;
            self.enter(State::Running, None)?;
            return self.log(&format!("resumed after step {} {what}", start.step));
        }
        self.write(CONFIG, &self.config_toml)?;
        self.facts = record::render(start, self.data_dir.as_deref())?;
        self.enter(State::Running, None)?;
        self.append(metrics_file::CSV, &metrics_file::header())?;
        self.log(&format!("started {what}"))
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        for (name, line) in metrics_file::lines(epoch)? {
            self.append(name, &line)?;
        }
        self.metrics_synced = false;
        self.log(&format!("epoch {}: test accuracy {:.4}", epoch.epoch, epoch.test_accuracy))
    }

    fn warning(&mut self, warning: &Warning) -> Result<()> {
        self.log_warning(&warning.to_string())
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint<'_>) -> Result<()> {
        let last = format!("{}/{}", checkpoint::FOLDER, checkpoint::name(checkpoint.step));
        self.sync_metrics()?;
        let files = checkpoint::render(checkpoint.snapshot, &self.config_toml)?;
        checkpoint::save(&*self.disk, &self.path.join(&last), &files)
            .map_err(|cause| self.disk_failure(format!("save {last}"), checkpoint::room(&files), &cause))?;
        // The pointers are updated once the checkpoint is complete, and old checkpoints are removed
        // after that.
        let before = self.saved.as_ref();
        let best = match before {
            Some(before) if !checkpoint.best => before.best.clone(),
            _ => last.clone(),
        };
        self.point(LAST, &last)?;
        if before.is_none_or(|before| before.best != best) {
            self.point(BEST, &best)?;
        }
        let saved = Saved { last, best };
        self.prune([Some(&saved), before])?;
        self.saved = Some(saved);
        Ok(())
    }

    fn end(&mut self, end: &End) -> Result<()> {
        self.log(&format!(
            "ended after {} steps: test accuracy {:.4}, weights {}",
            end.steps, end.test_accuracy, end.weights_sha256
        ))?;
        self.enter(State::Finished, None)
    }

    fn failed(&mut self, error: &Error) {
        // Errors from before the start, for example about the data, do not change the run's state.
        if !self.is_under_way {
            return;
        }
        let state = State::after(error);
        let is_stopped = state == State::Stopped;
        let line = if is_stopped { error.to_string() } else { format!("error: {error}") };
        // The original error is the one to report, even if it cannot be recorded, for example on a
        // full disk.
        self.log(&line).and_then(|()| self.enter(state, Some(error).filter(|_| !is_stopped))).ok();
    }
}
