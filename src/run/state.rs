//! The state of a run.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The state of a run, as `run.json` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is training, or its process was killed: nobody is left to say so.
    Running,
    /// It has trained all of its steps, or has stopped early for lack of improvement.
    Finished,
    /// It was asked to stop, and has saved itself.
    Stopped,
    /// It ended with NaN or infinity.
    Diverged,
    /// It ended with another error.
    Failed,
}

impl State {
    /// The state of a run that has ended with `error`.
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
