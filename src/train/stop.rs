//! A flag that asks a run to stop early.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// Stop flag of a run. A signal handler sets it, and the trainer checks it between submissions. All
/// clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    /// The reason as a number that a signal handler can store: see [`StopFlag::number`].
    reason: Arc<AtomicUsize>,
}

impl StopFlag {
    /// Asks the run to stop, because of Ctrl-C, a closed terminal or a termination signal.
    pub fn request(&self, reason: ErrorKind) {
        self.reason.store(StopFlag::number(reason), Ordering::Relaxed);
    }

    /// Why the run should stop, if it should.
    pub fn requested(&self) -> Option<ErrorKind> {
        match self.reason.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(ErrorKind::Interrupted),
            3 => Some(ErrorKind::HungUp),
            _ => Some(ErrorKind::Terminated),
        }
    }

    /// Returns an error if a stop was requested; `end` names what has not been reached.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`], [`ErrorKind::HungUp`] or [`ErrorKind::Terminated`].
    pub fn check(&self, end: &str) -> Result<()> {
        match self.requested() {
            Some(kind) => Err(Error::new(kind, format!("stopped before {end}"))),
            None => Ok(()),
        }
    }

    /// The number that stands for a reason in [`StopFlag::shared`].
    pub(crate) fn number(reason: ErrorKind) -> usize {
        match reason {
            ErrorKind::Interrupted => 1,
            ErrorKind::HungUp => 3,
            _ => 2,
        }
    }

    /// The shared flag, for a signal handler.
    pub(crate) fn shared(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_hear_of_a_request_and_why() {
        let stop = StopFlag::default();
        let heard = stop.clone();
        assert_eq!(heard.requested(), None);
        for reason in [ErrorKind::Interrupted, ErrorKind::Terminated, ErrorKind::HungUp] {
            stop.request(reason);
            assert_eq!(heard.requested(), Some(reason));
        }
    }
}
