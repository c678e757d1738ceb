//! The state of a run.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The state of a run, as recorded in `run.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is training, or its process was killed.
    Running,
    /// It has completed all of its steps, or early stopping ended it.
    Finished,
    /// It was interrupted and saved a checkpoint.
    Stopped,
    /// It diverged: NaN or infinity in the loss or the parameters.
    Diverged,
    /// It ended with another error.
    Failed,
}

impl State {
    /// Returns the state of a run that ended with `error`.
    pub(super) fn after(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Interrupted | ErrorKind::Terminated | ErrorKind::HungUp | ErrorKind::OutputClosed => {
                State::Stopped
            }
            ErrorKind::Diverged => State::Diverged,
            _ => State::Failed,
        }
    }
}
