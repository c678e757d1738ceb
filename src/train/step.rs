//! The steps of a run and the options of its training step.

use super::dataset_on_device::DatasetOnDevice;
use crate::augmentation::Augmentation;
use crate::data::ImageShape;
use crate::optim::Recipe;
use crate::plan::StepId;
use crate::tensor::{Element, Tensor};

/// Number of slots of every metric ring, hence the maximum number of runs per submission.
pub(super) const SLOTS: usize = 1024;

/// A step that takes batches from a split and evaluates the model on them.
#[derive(Debug)]
pub(super) struct SplitStep {
    pub(super) step: StepId,
    pub(super) split: DatasetOnDevice,
    pub(super) count: usize,
    /// Number of images per run of the step.
    pub(super) batch: usize,
    /// Number of images per optimizer step: the batch size, or 1 if a run of the step is a block of
    /// optimizer steps.
    pub(super) images_per_step: usize,
    /// Ring of losses and correct counts.
    pub(super) metrics: Tensor,
    /// Layout of the ring's slots.
    pub(super) slots: Slots,
}

/// The step that measures the L2 penalty.
#[derive(Debug)]
pub(super) struct Penalty {
    pub(super) step: StepId,
    /// Rings of partial sums of squares, one per weight.
    pub(super) rings: Vec<Tensor>,
    /// Half of the L2 factor.
    pub(super) factor: f64,
}

/// Layout of the slots of a metric ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slots {
    /// Pairs of weighted loss and correct count, one per group of rows.
    Pairs,
    /// Sums over a block of steps: see [`online_steps`](crate::ops::online_steps).
    Blocks,
}

impl Penalty {
    /// The penalty of all weights, from slot `slot` of the rings.
    pub(super) fn value(&self, rings: &[Vec<f32>], slot: usize) -> f64 {
        self.factor * (0..self.rings.len()).map(|weight| self.squares(weight, rings, slot)).sum::<f64>()
    }

    /// The squared norm of one weight, from slot `slot` of the rings.
    pub(super) fn squares(&self, weight: usize, rings: &[Vec<f32>], slot: usize) -> f64 {
        let width = self.rings[weight].matrix("ring")[1];
        rings[weight][slot * width..][..width].iter().map(|&sum| f64::from(sum)).sum()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct SplitSize {
    pub(super) count: usize,
    pub(super) shape: ImageShape,
    /// Maximum number of bytes in one tensor.
    pub(super) largest: usize,
}

#[derive(Clone, Debug)]
pub(super) struct TrainStepOptions {
    pub(super) batch: usize,
    pub(super) recipe: Recipe,
    pub(super) label_smoothing: f32,
    pub(super) augmentation: Augmentation,
    /// Seed of dropout; `None` disables dropout.
    pub(super) dropout: Option<u64>,
    /// Element type of activations. Blocks of steps always use f32.
    pub(super) element: Element,
    /// Whether to keep moving averages of the parameters.
    pub(super) averaged: bool,
    /// Whether the learning rate is the same in every step.
    pub(super) is_constant: bool,
}
