//! The state that a run shares with the threads of the dashboard.

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

/// The state that a run shares with the threads of the dashboard.
#[derive(Debug, Default)]
pub(super) struct SharedState {
    pub(super) run_state: Mutex<RunState>,
    pub(super) changed: Condvar,
    /// The latest body that was drawn, with its version.
    pub(super) drawn: Mutex<Option<(u64, Arc<str>)>>,
}

/// What the run has reported so far.
#[derive(Clone, Debug, Default)]
pub(super) struct RunState {
    /// The run's directory, once it has started.
    pub(super) run: Option<PathBuf>,
    pub(super) epochs: usize,
    /// Version of the page's body. It increases when the body changes; 0 means that there is none.
    pub(super) version: u64,
    pub(super) progress: Option<ProgressMessage>,
    /// The text of the last event.
    pub(super) end: Option<Arc<str>>,
    /// Number of clients that have not received it.
    pub(super) listeners: usize,
}

/// The progress of a run, as shown on the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ProgressMessage {
    pub(super) text: String,
    /// Fraction of all epochs, from 0 to 1.
    pub(super) share: f64,
}

impl ProgressMessage {
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
        ProgressMessage { text, share: done / epochs.max(1) as f64 }
    }
}

impl SharedState {
    pub(super) fn run_state(&self) -> MutexGuard<'_, RunState> {
        lock(&self.run_state)
    }

    /// Waits for a change, at most `longest`.
    pub(super) fn wait(&self, run_state: MutexGuard<'_, RunState>, longest: Duration) {
        drop(self.changed.wait_timeout(run_state, longest));
    }

    /// Returns the name of the run, and the version and text of the page's newest body. The body is
    /// drawn only if this version has not been drawn yet.
    pub(super) fn body(&self) -> Result<(String, u64, Arc<str>)> {
        let RunState { run, version, .. } = self.run_state().clone();
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

/// Returns the model of the latest checkpoint, or `None` if the run is just replacing it.
fn newest_model(run: &Path) -> Option<SavedModel> {
    let pointer = std::fs::read_to_string(run.join("last")).ok()?;
    Some(checkpoint::load(&run.join(pointer.trim())).ok()?.model)
}

/// Locks a mutex even if another thread panicked while holding it. The contents are consistent at
/// any time.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
