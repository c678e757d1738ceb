//! Where a run is. With the tensors, it is all that the run's next steps depend on.

use serde::{Deserialize, Serialize};

use super::metrics::Totals;
use super::observer::Epoch;
use crate::config::Monitor;
use crate::run::{NamedTensor, SavedModel};

/// How far a run has come, and what it knows about the way.
///
/// Random numbers are functions of the seed and the epoch, and the learning rate of the step, so
/// there is no state of a generator or of a schedule. How many steps go into one submission is a
/// matter of the clock, on which no result depends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Optimizer steps since the start of the run.
    pub step: usize,
    /// Epochs that are complete, measurement included.
    pub epochs: usize,
    /// What the steps after those epochs have measured.
    pub totals: Totals,
    /// Seconds that the steps after those epochs took.
    pub epoch_seconds: f64,
    /// Seconds that all steps took.
    pub seconds: f64,
    /// The last complete epoch.
    pub last: Option<Epoch>,
    /// The best complete epoch, by the figure that the run monitors.
    pub best: Option<Epoch>,
}

impl Position {
    /// Takes a complete epoch in. Returns whether it is the best so far, by what `monitor` says.
    pub(super) fn complete(&mut self, epoch: Epoch, monitor: Monitor) -> bool {
        let is_best = self.best.is_none_or(|best| monitor.is_better(&epoch, &best));
        if is_best {
            self.best = Some(epoch);
        }
        self.last = Some(epoch);
        self.epochs = epoch.epoch;
        self.step = epoch.step;
        self.totals = Totals::default();
        self.epoch_seconds = 0.0;
        is_best
    }

    /// Complete epochs since the best one.
    pub(super) fn epochs_since_best(&self) -> usize {
        self.best.map_or(0, |best| self.epochs - best.epoch)
    }
}

/// All that a run needs to go on exactly from where it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Weights, biases and what is needed to use them.
    pub model: SavedModel,
    /// What the optimizer keeps from step to step.
    pub optimizer: SavedModel,
    /// Where the run is.
    pub position: Position,
}

impl Snapshot {
    /// Everything that is kept from step to step.
    pub fn tensors(&self) -> impl Iterator<Item = &NamedTensor> {
        self.model.tensors.iter().chain(&self.optimizer.tensors)
    }
}
