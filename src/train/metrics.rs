//! Adds up what steps measured, and stops a run that has diverged.

use super::feed::{Measured, Sums};
use crate::error::{Error, ErrorKind, Result};

/// Sums over the steps of a pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) steps: usize,
    sums: Sums,
    penalties: f64,
    penalty_samples: usize,
}

impl Totals {
    /// Adds a submission. `first_step` is the number of the pass's first step in the run, from 0.
    ///
    /// Fails at the first step whose loss is NaN or infinite.
    pub(super) fn add(&mut self, measured: &Measured, first_step: usize) -> Result<()> {
        for (offset, sums) in measured.steps.iter().enumerate() {
            if !sums.loss.is_finite() {
                return Err(diverged(first_step + measured.first + offset + 1, sums.loss));
            }
            self.sums.loss += sums.loss;
            self.sums.hits += sums.hits;
        }
        self.steps += measured.steps.len();
        self.penalties += measured.penalties.iter().sum::<f64>();
        self.penalty_samples += measured.penalties.len();
        if !self.penalties.is_finite() {
            return Err(diverged(first_step + measured.first + measured.steps.len(), self.penalties));
        }
        Ok(())
    }

    /// Summed losses by `count`: the steps for means, the images for plain sums.
    pub(super) fn cross_entropy(&self, count: usize) -> f64 {
        self.sums.loss / count as f64
    }

    /// Summed hits by `count`.
    pub(super) fn accuracy(&self, count: usize) -> f64 {
        self.sums.hits / count as f64
    }

    /// Mean of the sampled penalties, zero where there is none.
    pub(super) fn penalty(&self) -> f64 {
        self.penalties / self.penalty_samples.max(1) as f64
    }
}

fn diverged(step: usize, loss: f64) -> Error {
    Error::new(ErrorKind::Diverged, format!("training diverged: the loss is {loss} at step {step}"))
        .advise("use a smaller learning rate (--lr), or --normalize standard")
}
