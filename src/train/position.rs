//! Where a run is. With the tensors, it is all that the run's next steps depend on.

use serde::{Deserialize, Serialize};

use super::epoch::Epoch;
use super::metrics::Totals;
use crate::checkpoint::{NamedTensor, SavedModel};
use crate::config::{Config, Monitor};

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
    /// Whether somebody was told that an epoch learned nothing: once in a run is enough.
    #[serde(default)]
    pub warned_of_chance: bool,
    /// The last complete epoch.
    pub last: Option<Epoch>,
    /// The best complete epoch, by the figure that the run monitors.
    pub best: Option<Epoch>,
    /// Complete epochs after which patience counts: those at which it was renewed, if it was.
    #[serde(default)]
    pub patience_since: usize,
    /// Where a run that `max-steps` has ended within an epoch was before that counted as complete:
    /// with more steps to make, it continues from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_cut: Option<Box<Position>>,
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

    /// Complete epochs since the best one, or since patience was renewed.
    pub(super) fn epochs_since_best(&self) -> usize {
        self.best.map_or(0, |best| self.epochs.saturating_sub(best.epoch.max(self.patience_since)))
    }

    /// Why a run of `config` that is here has no more steps to make, if so.
    pub fn ending(&self, config: &Config) -> Option<Ending> {
        if config.patience.is_some_and(|most| self.epochs_since_best() >= most) && self.epochs < config.epochs
        {
            Some(Ending::Patience)
        } else if config.max_steps.is_some_and(|most| self.step >= most) {
            Some(Ending::MaxSteps)
        } else if self.least_epochs() > config.epochs {
            Some(Ending::Epochs)
        } else {
            None
        }
    }

    /// The fewest epochs that a run which is here can be made to have and still train.
    pub fn least_epochs(&self) -> usize {
        self.before_cut.as_ref().map_or(self.epochs, |before| before.epochs) + 1
    }
}

/// Why a run has no more steps to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has had all of its epochs.
    Epochs,
    /// It has made as many steps as `max-steps` allows.
    MaxSteps,
    /// Its epochs have not improved for as long as `patience` allows.
    Patience,
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
