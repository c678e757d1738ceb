//! The progress of a run. Together with the tensors, it determines all further steps.

use serde::{Deserialize, Serialize};

use super::epoch::Epoch;
use super::metrics::Totals;
use crate::checkpoint::{NamedTensor, SavedModel};
use crate::config::{Config, Monitor};

/// The progress of a run.
///
/// Random numbers are functions of the seed and the epoch, and the learning rate is a function of
/// the step, so neither a generator nor a schedule has any state. The number of steps per
/// submission depends on timing, but no result depends on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Optimizer steps since the start of the run.
    pub step: usize,
    /// Number of complete epochs, evaluation included.
    pub epochs: usize,
    /// Metrics of the steps since the last complete epoch.
    pub totals: Totals,
    /// Duration of the steps since the last complete epoch, in seconds.
    pub epoch_seconds: f64,
    /// Duration of all steps, in seconds.
    pub seconds: f64,
    /// Whether the warning that the model does not learn was given; it is given once per run.
    #[serde(default)]
    pub warned_of_chance: bool,
    /// The last complete epoch.
    pub last: Option<Epoch>,
    /// The best complete epoch, by the metric that the run monitors.
    pub best: Option<Epoch>,
    /// Number of complete epochs from which patience counts; 0 unless patience was renewed.
    #[serde(default)]
    pub patience_since: usize,
    /// The position before a partial epoch that `max-steps` cut off was counted as complete. A run
    /// that is given more steps resumes from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_cut: Option<Box<Position>>,
}

impl Position {
    /// Records a complete epoch. Returns whether it is the best so far, by `monitor`.
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

    /// Number of complete epochs since the best one, or since patience was renewed.
    pub(super) fn epochs_since_best(&self) -> usize {
        self.best.map_or(0, |best| self.epochs.saturating_sub(best.epoch.max(self.patience_since)))
    }

    /// The reason why a run of `config` at this position has no more steps, if it has none.
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

    /// The smallest number of epochs with which a run at this position still has steps to train.
    pub fn least_epochs(&self) -> usize {
        self.before_cut.as_ref().map_or(self.epochs, |before| before.epochs) + 1
    }
}

/// The reason why a run has no more steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All epochs are complete.
    Epochs,
    /// The run has made as many steps as `max-steps` allows.
    MaxSteps,
    /// The epochs have not improved for as long as `patience` allows.
    Patience,
}

/// Everything that a run needs to resume exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The model: parameters and statistics.
    pub model: SavedModel,
    /// The optimizer state.
    pub optimizer: SavedModel,
    /// The progress of the run.
    pub position: Position,
}

impl Snapshot {
    /// All tensors that are kept from step to step.
    pub fn tensors(&self) -> impl Iterator<Item = &NamedTensor> {
        self.model.tensors.iter().chain(&self.optimizer.tensors)
    }
}
