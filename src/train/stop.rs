//! How a run is asked to end early.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::ErrorKind;

/// Set by a signal, looked at between submissions.
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    reason: Arc<AtomicU8>,
}

impl StopFlag {
    /// Why the run should end, if it should.
    pub fn requested(&self) -> Option<ErrorKind> {
        match self.reason.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(ErrorKind::Interrupted),
            _ => Some(ErrorKind::Terminated),
        }
    }
}
