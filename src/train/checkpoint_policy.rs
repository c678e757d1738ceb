//! Decides when a run saves a checkpoint.

use std::time::{Duration, Instant};

use crate::config::Interval;

/// The checkpoint interval, and when the last checkpoint was saved.
#[derive(Debug)]
pub(super) struct CheckpointPolicy {
    every: Interval,
    /// Step of the last checkpoint, if there is one.
    step: Option<usize>,
    /// Time of the last checkpoint, or of the start of the run.
    time: Instant,
}

impl CheckpointPolicy {
    /// The policy of a run without checkpoints.
    pub(super) fn new(every: Interval) -> Self {
        CheckpointPolicy { every, step: None, time: Instant::now() }
    }

    /// Records that a checkpoint was saved at `step`.
    pub(super) fn done(&mut self, step: usize) {
        (self.step, self.time) = (Some(step), Instant::now());
    }

    /// Whether a checkpoint was ever saved.
    pub(super) fn has_saved(&self) -> bool {
        self.step.is_some()
    }

    /// The next step after `step` at which a checkpoint is due, if the interval is in steps.
    pub(super) fn next_step(&self, step: usize) -> Option<usize> {
        match self.every {
            Interval::Steps(every) => Some((step / every + 1) * every),
            Interval::Epochs(_) | Interval::Minutes(_) => None,
        }
    }

    /// Whether a checkpoint is due at `step`, within an epoch. Blocks of steps may jump over the
    /// exact step.
    pub(super) fn is_due(&self, step: usize) -> bool {
        match self.every {
            Interval::Steps(every) => step / every > self.step.unwrap_or(0) / every,
            Interval::Epochs(_) => false,
            Interval::Minutes(every) => self.is_time(every, Instant::now()),
        }
    }

    fn is_time(&self, minutes: usize, now: Instant) -> bool {
        now.duration_since(self.time) >= Duration::from_secs(60 * minutes as u64)
    }

    /// Whether a checkpoint is due at the end of an epoch, at `step` and after `epochs` epochs.
    pub(super) fn is_due_after(&self, epochs: usize, step: usize) -> bool {
        match self.every {
            Interval::Epochs(every) => epochs.is_multiple_of(every),
            Interval::Steps(_) | Interval::Minutes(_) => self.is_due(step),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_saved_once_even_where_blocks_jump_over_them() {
        let mut policy = CheckpointPolicy::new(Interval::Steps(100));
        assert_eq!(
            (policy.next_step(0), policy.next_step(99), policy.next_step(100)),
            (Some(100), Some(100), Some(200))
        );
        assert!(!policy.is_due(96));
        assert!(policy.is_due(128) && policy.is_due_after(1, 128));
        policy.done(128);
        assert!(!policy.is_due(192) && !policy.is_due_after(1, 192));
        assert!(policy.is_due(224));
    }

    #[test]
    fn minutes_are_those_of_the_clock() {
        let policy = CheckpointPolicy::new(Interval::Minutes(2));
        assert!(!policy.is_due(1_000_000) && !policy.is_due_after(9, 1_000_000));
        assert!(!policy.is_time(2, policy.time + Duration::from_secs(119)));
        assert!(policy.is_time(2, policy.time + Duration::from_secs(120)));
    }

    #[test]
    fn epochs_are_saved_at_their_ends_only() {
        let policy = CheckpointPolicy::new(Interval::Epochs(3));
        assert!(!policy.is_due(1_000_000));
        assert_eq!(
            [1, 2, 3, 4, 5, 6].map(|epoch| policy.is_due_after(epoch, 10)),
            [false, false, true, false, false, true]
        );
    }
}
