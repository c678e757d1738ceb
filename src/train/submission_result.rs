//! What the steps of a submission measured.

use serde::{Deserialize, Serialize};

/// What the steps of a submission measured.
#[derive(Clone, Debug)]
pub(super) struct SubmissionResult {
    /// Index of the submission's first run of the step in the pass.
    pub(super) first: usize,
    /// Images of all its runs.
    pub(super) images: usize,
    /// Sums over the images of each run.
    pub(super) runs: Vec<StepSums>,
    /// Penalties of runs, in order, each times the run's images. They are not added up, because how
    /// many there are in a submission depends on the clock, and sums of the same numbers must not.
    pub(super) penalties: Vec<f64>,
    /// How many images those runs have.
    pub(super) penalty_images: usize,
    /// Norms of what is kept from step to step, in order.
    pub(super) norms: Vec<Norms>,
}

impl SubmissionResult {
    /// Mean loss of all images.
    pub(super) fn loss(&self) -> f64 {
        self.runs.iter().map(|run| run.loss).sum::<f64>() / self.images as f64
    }
}

/// Sums over images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct StepSums {
    /// Of their losses.
    pub(super) loss: f64,
    /// How many of them are classified correctly.
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
