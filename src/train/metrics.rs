//! Adds up what steps measured.

use serde::{Deserialize, Serialize};

use super::feed::{Measured, Sums};

/// Sums over a pass.
///
/// They are added up run by run, in order: the same runs give the same sums, however many of them
/// went into one submission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Runs of the pass's step so far.
    pub(super) runs: usize,
    sums: Sums,
    penalties: f64,
    penalty_steps: usize,
}

impl Totals {
    /// Adds a submission.
    pub(super) fn add(&mut self, measured: &Measured) {
        for sums in &measured.runs {
            self.sums.loss += sums.loss;
            self.sums.hits += sums.hits;
        }
        self.runs += measured.runs.len();
        for penalty in &measured.penalties {
            self.penalties += penalty;
        }
        self.penalty_steps += measured.penalty_steps;
    }

    /// Summed losses by `count`: the steps for means, the images for plain sums.
    pub(super) fn cross_entropy(&self, count: usize) -> f64 {
        self.sums.loss / count as f64
    }

    /// Summed hits by `count`.
    pub(super) fn accuracy(&self, count: usize) -> f64 {
        self.sums.hits / count as f64
    }

    /// Mean of the measured penalties, zero where there is none.
    pub(super) fn penalty(&self) -> f64 {
        self.penalties / self.penalty_steps.max(1) as f64
    }
}
