//! What a training run tells those who watch: the terminal, the run directory, a test.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::epoch::Epoch;
use super::position::Snapshot;
use crate::config::Config;
use crate::device::DeviceInfo;
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// Something about a run that needs attention.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// What is wrong, in one line.
    pub message: String,
    /// What to try.
    pub remedy: Remedy,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; {}", self.message, self.remedy)
    }
}

/// Said once, before the first step.
#[derive(Clone, Debug)]
pub struct Start {
    /// What trains.
    pub device: DeviceInfo,
    /// Its limits: see [`Device::limits`](crate::device::Device::limits).
    pub limits: BTreeMap<&'static str, u64>,
    /// What is trained on.
    pub dataset: DatasetInfo,
    /// The files that the data set was read from.
    pub files: Vec<PathBuf>,
    /// The model's layers, with everything inferred: `linear:128,relu,linear:10`.
    pub model: String,
    /// Number of trained values.
    pub parameters: usize,
    /// Where the run is recorded.
    pub run: PathBuf,
    /// What the run depends on.
    pub config: Config,
    /// Steps in a full epoch.
    pub steps_per_epoch: usize,
    /// Steps that are done: more than 0 where a run goes on.
    pub step: usize,
    /// Epochs that are complete.
    pub epochs: usize,
    /// The best of them.
    pub best: Option<Epoch>,
}

/// A data set in numbers.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct DatasetInfo {
    /// `fashion-mnist`, or a folder's name.
    pub name: String,
    /// Images to train on.
    pub train: usize,
    /// Images that the run is validated on: the data's own, or training images that were held out
    /// and are not counted in `train`. 0 where there are none.
    #[serde(default)]
    pub validation: usize,
    /// Images to test with.
    pub test: usize,
    /// Number of classes.
    pub classes: usize,
    /// Channels, height, width.
    pub shape: [usize; 3],
}

/// Said several times a second.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// From 1.
    pub epoch: usize,
    /// Steps done in this epoch.
    pub step: usize,
    /// Steps in this epoch.
    pub steps: usize,
    /// Steps since the start of the run.
    pub total_step: usize,
    /// Mean loss of the images since this was said last, penalty included.
    pub recent_loss: f64,
    /// Of the last of them.
    pub learning_rate: f64,
    /// Mean loss of this epoch's images so far.
    pub loss: f64,
    /// Share of this epoch's images so far that were classified correctly, 0 to 1.
    pub accuracy: f64,
    /// Of this epoch's steps so far.
    pub images_per_second: f64,
    /// Until the run's last step, if it goes on as it did; measurements on test images not counted.
    pub seconds_left: f64,
}

/// A run as it is between two steps.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint<'a> {
    /// Optimizer steps since the start of the run.
    pub step: usize,
    /// Whether it is the end of the best epoch so far. Where the best is not to be kept, every
    /// checkpoint counts as that.
    pub best: bool,
    /// All that the run needs to go on from here.
    pub snapshot: &'a Snapshot,
}

/// Said once, after the last step.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct End {
    /// Optimizer steps.
    pub steps: usize,
    /// Epochs, a partial last one included.
    pub epochs: usize,
    /// Training only.
    pub seconds: f64,
    /// After the last step.
    pub test_accuracy: f64,
    /// After the last step.
    pub test_loss: f64,
    /// The best epoch: see [`Monitor`](crate::config::Monitor).
    pub best_epoch: usize,
    /// The name of the figure that chose it: `validation accuracy`.
    pub monitored: &'static str,
    /// The last epoch.
    #[serde(skip)]
    pub last: Epoch,
    /// The best epoch.
    #[serde(skip)]
    pub best: Epoch,
    /// Whether the run ended because its epochs had not become better for a while.
    pub stopped_early: bool,
    /// Of the final model: see [`weights_sha256`](crate::checkpoint::weights_sha256).
    pub weights_sha256: String,
    /// Where the run was recorded.
    pub run: PathBuf,
}

/// Somebody who watches a training run. An error ends the run.
pub trait Observer {
    /// Before the first step.
    fn start(&mut self, _: &Start) -> Result<()> {
        Ok(())
    }

    /// Several times a second.
    fn progress(&mut self, _: &Progress) -> Result<()> {
        Ok(())
    }

    /// After each epoch.
    fn epoch(&mut self, _: &Epoch) -> Result<()> {
        Ok(())
    }

    /// When something about the run needs attention.
    fn warning(&mut self, _: &Warning) -> Result<()> {
        Ok(())
    }

    /// As often as the configuration says, and when a run is asked to stop.
    fn checkpoint(&mut self, _: &Checkpoint<'_>) -> Result<()> {
        Ok(())
    }

    /// After the last step.
    fn end(&mut self, _: &End) -> Result<()> {
        Ok(())
    }

    /// When the run has ended early: because it was asked to, or with an error.
    fn failed(&mut self, _: &Error) {}
}
