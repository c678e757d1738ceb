//! The metrics of a submission.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug)]
pub(super) struct SubmissionResult {
    /// Index of the submission's first run in the pass.
    pub(super) first: usize,
    /// Number of images of all its runs.
    pub(super) images: usize,
    /// Sums over the images of each run.
    pub(super) runs: Vec<StepSums>,
    /// Penalties in order, each multiplied by the number of images of its run. They are not summed
    /// here: their number per submission depends on timing, and the sum must not.
    pub(super) penalties: Vec<f64>,
    /// Number of images of the runs whose penalties were measured.
    pub(super) penalty_images: usize,
    /// Norms of parameters and optimizer state, in order.
    pub(super) norms: Vec<Norms>,
}

impl SubmissionResult {
    /// Mean loss of all images.
    pub(super) fn loss(&self) -> f64 {
        self.runs.iter().map(|run| run.loss).sum::<f64>() / self.images as f64
    }
}

/// Sums over the images of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct StepSums {
    /// Sum of the losses.
    pub(super) loss: f64,
    /// Number of correctly classified images.
    #[serde(rename = "hits")]
    pub(super) correct: f64,
}

/// The squared norms of all tensors before a run of the training step.
#[derive(Clone, Debug)]
pub(super) struct Norms {
    /// Index of the run in the pass.
    pub(super) run: usize,
    pub(super) squares: Vec<f64>,
}
