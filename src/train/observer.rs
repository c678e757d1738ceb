//! The events of a training run, for those who follow it: the terminal, the run directory, a test.

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

/// Sent once, before the first step.
#[derive(Clone, Debug)]
pub struct Start {
    /// The device that trains.
    pub device: DeviceInfo,
    /// Limits of the device: see [`Device::limits`](crate::device::Device::limits).
    pub limits: BTreeMap<&'static str, u64>,
    /// The data set.
    pub dataset: DatasetInfo,
    /// The files that the data set was read from.
    pub files: Vec<PathBuf>,
    /// The model's layers, with everything inferred: `linear:128,relu,linear:10`.
    pub model: String,
    /// Number of trained parameters.
    pub parameters: usize,
    /// Directory of the run.
    pub run: PathBuf,
    /// Configuration of the run.
    pub config: Config,
    /// Steps per full epoch.
    pub steps_per_epoch: usize,
    /// Steps that are done; more than 0 if the run was resumed.
    pub step: usize,
    /// Number of complete epochs.
    pub epochs: usize,
    /// The best complete epoch.
    pub best: Option<Epoch>,
}

/// Name, sizes and shape of a data set.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct DatasetInfo {
    /// `fashion-mnist`, or the name of a folder.
    pub name: String,
    /// Number of training images.
    pub train: usize,
    /// Number of validation images: the data set's own, or training images that were held out,
    /// which `train` does not count. 0 if there are none.
    #[serde(default)]
    pub validation: usize,
    /// Number of test images.
    pub test: usize,
    /// Number of classes.
    pub classes: usize,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
}

/// Sent several times per second.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Number of the current epoch, from 1.
    pub epoch: usize,
    /// Steps done in this epoch.
    pub step: usize,
    /// Steps in this epoch.
    pub steps: usize,
    /// Steps since the start of the run.
    pub total_step: usize,
    /// Mean loss over the images since the last event, penalty included.
    pub recent_loss: f64,
    /// Learning rate of the last of these steps.
    pub learning_rate: f64,
    /// Mean loss over this epoch's images so far, penalty included.
    pub loss: f64,
    /// Accuracy over this epoch's images so far, 0 to 1.
    pub accuracy: f64,
    /// Images per second in this epoch so far.
    pub images_per_second: f64,
    /// Estimated seconds to the run's last step, without evaluation.
    pub seconds_left: f64,
}

/// The state of a run between two steps.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint<'a> {
    /// Optimizer steps since the start of the run.
    pub step: usize,
    /// Whether this is the end of the best epoch so far. Always true if the best checkpoint is not
    /// kept separately.
    pub best: bool,
    /// Everything that the run needs to resume from here.
    pub snapshot: &'a Snapshot,
}

/// Sent once, after the last step.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct End {
    /// Number of optimizer steps.
    pub steps: usize,
    /// Number of epochs, including a partial last one.
    pub epochs: usize,
    /// Seconds of training, without evaluation.
    pub seconds: f64,
    /// Test accuracy after the last step, 0 to 1.
    pub test_accuracy: f64,
    /// Test loss after the last step.
    pub test_loss: f64,
    /// Number of the best epoch: see [`Monitor`](crate::config::Monitor).
    pub best_epoch: usize,
    /// Name of the metric that selected the best epoch: `validation accuracy`.
    pub monitored: &'static str,
    /// The last epoch.
    #[serde(skip)]
    pub last: Epoch,
    /// The best epoch.
    #[serde(skip)]
    pub best: Epoch,
    /// Whether the run ended early because its epochs stopped improving.
    pub stopped_early: bool,
    /// Checksum of the final model: see [`weights_sha256`](crate::checkpoint::weights_sha256).
    pub weights_sha256: String,
    /// Directory of the run.
    pub run: PathBuf,
}

/// Follows a training run. If a method returns an error, the run ends with it.
#[expect(clippy::missing_errors_doc, reason = "any error ends the run")]
pub trait Observer {
    /// Called before the first step.
    fn start(&mut self, _: &Start) -> Result<()> {
        Ok(())
    }

    /// Called several times per second.
    fn progress(&mut self, _: &Progress) -> Result<()> {
        Ok(())
    }

    /// Called after each epoch.
    fn epoch(&mut self, _: &Epoch) -> Result<()> {
        Ok(())
    }

    /// Called when something about the run needs attention.
    fn warning(&mut self, _: &Warning) -> Result<()> {
        Ok(())
    }

    /// Called as often as the configuration says, and when a run is asked to stop.
    fn checkpoint(&mut self, _: &Checkpoint<'_>) -> Result<()> {
        Ok(())
    }

    /// Called after the last step.
    fn end(&mut self, _: &End) -> Result<()> {
        Ok(())
    }

    /// Called when the run ends early, because it was asked to stop or because of an error.
    fn failed(&mut self, _: &Error) {}
}
