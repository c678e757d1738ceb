//! What a run and those who watch it share.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::checkpoint::SavedModel;
use crate::error::{Error, Result};
use crate::report::{Findings, Record, Report};
use crate::run::checkpoint;
use crate::text::human::{count, figure, percentage, span};
use crate::train::Progress;

/// What the run and its watchers share.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) notes: Mutex<Notes>,
    pub(super) changed: Condvar,
    /// The last body that was drawn, with its version.
    pub(super) drawn: Mutex<Option<(u64, Arc<str>)>>,
}

/// What the run has said so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    /// The run's directory, once it has started.
    pub(super) run: Option<PathBuf>,
    /// Epochs that are to be trained.
    pub(super) epochs: usize,
    /// Goes up when the body of the page changes. 0 is no body.
    pub(super) version: u64,
    /// How far the run is.
    pub(super) progress: Option<Tidings>,
    /// The last words.
    pub(super) end: Option<Arc<str>>,
    /// How many watchers have not heard them.
    pub(super) listeners: usize,
}

/// How far a run is, as the page says it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Tidings {
    pub(super) text: String,
    /// Of all epochs, 0 to 1.
    pub(super) share: f64,
}

impl Tidings {
    pub(super) fn of(progress: &Progress, epochs: usize) -> Self {
        let Progress { epoch, step, steps, loss, accuracy, images_per_second, seconds_left, .. } = *progress;
        let text = format!(
            "Epoch {epoch} of {epochs}, step {} of {} · loss {} · accuracy {} · {} images/s · {} left",
            count(step as u64),
            count(steps as u64),
            figure(loss),
            percentage(accuracy),
            count(images_per_second.round() as u64),
            span(seconds_left.ceil()),
        );
        let done = (epoch - 1) as f64 + step as f64 / steps.max(1) as f64;
        Tidings { text, share: done / epochs.max(1) as f64 }
    }
}

impl Watched {
    pub(super) fn notes(&self) -> MutexGuard<'_, Notes> {
        lock(&self.notes)
    }

    /// Waits for something to happen, but not for long.
    pub(super) fn wait(&self, notes: MutexGuard<'_, Notes>, longest: Duration) {
        drop(self.changed.wait_timeout(notes, longest));
    }

    /// The run's name and the newest body of its page with its version, drawn now if nobody had it drawn.
    pub(super) fn body(&self) -> Result<(String, u64, Arc<str>)> {
        let Notes { run, version, .. } = self.notes().clone();
        let run = run.ok_or_else(|| Error::usage("the run has not started yet"))?;
        let mut drawn = lock(&self.drawn);
        let name = run.file_name().unwrap_or(run.as_os_str()).to_string_lossy().into_owned();
        if let Some((of, body)) = &*drawn
            && *of >= version
        {
            return Ok((name, *of, Arc::clone(body)));
        }
        let record = Record::read(&run)?;
        let model = newest_model(&run);
        let report = Report { record: &record, model: model.as_ref(), findings: Findings::Pending };
        let body: Arc<str> = report.to_body()?.into();
        *drawn = Some((version, Arc::clone(&body)));
        Ok((name, version, body))
    }
}

/// The last checkpoint's model. The run may just be replacing it; then there is none for now.
fn newest_model(run: &Path) -> Option<SavedModel> {
    let pointer = std::fs::read_to_string(run.join("last")).ok()?;
    Some(checkpoint::load(&run.join(pointer.trim())).ok()?.model)
}

/// A watcher's thread that panicked is no reason for others to: notes and drawings are whole at any time.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
