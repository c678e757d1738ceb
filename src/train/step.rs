//! The steps of a run, and how it trains.

use super::dataset_on_device::DatasetOnDevice;
use crate::augmentation::Augmentation;
use crate::data::ImageShape;
use crate::optim::Recipe;
use crate::plan::StepId;
use crate::tensor::{Element, Tensor};

/// Slots of every metric ring: most runs of a step in one submission.
pub(super) const SLOTS: usize = 1024;

/// A step that takes batches from a split and measures the model on them.
#[derive(Debug)]
pub(super) struct SplitStep {
    pub(super) step: StepId,
    pub(super) split: DatasetOnDevice,
    /// Images in the split.
    pub(super) count: usize,
    /// Images per run of the step.
    pub(super) batch: usize,
    /// Images per optimizer step: the batch, or 1 where a run of the step is a block of such steps.
    pub(super) images_per_step: usize,
    /// Ring of losses and hits.
    pub(super) metrics: Tensor,
    /// What that ring holds.
    pub(super) slots: Slots,
}

/// The step that measures the L2 penalty.
#[derive(Debug)]
pub(super) struct Penalty {
    pub(super) step: StepId,
    /// Rings of partial sums of squares, one per weight.
    pub(super) rings: Vec<Tensor>,
    /// Half of the penalty's factor.
    pub(super) factor: f64,
}

/// What the slots of a pass's ring hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slots {
    /// Pairs of weighted losses and hits, one per so many rows.
    Pairs,
    /// StepSums over a block of steps: see [`online_steps`].
    Blocks,
}

impl Penalty {
    /// The penalty of all weights, as the rings' slot `slot` has it.
    pub(super) fn value(&self, rings: &[Vec<f32>], slot: usize) -> f64 {
        self.factor * (0..self.rings.len()).map(|weight| self.squares(weight, rings, slot)).sum::<f64>()
    }

    /// The squared norm of one weight.
    pub(super) fn squares(&self, weight: usize, rings: &[Vec<f32>], slot: usize) -> f64 {
        let width = self.rings[weight].matrix("ring")[1];
        rings[weight][slot * width..][..width].iter().map(|&sum| f64::from(sum)).sum()
    }
}

/// A split's size, as a program needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SplitSize {
    pub(super) count: usize,
    pub(super) shape: ImageShape,
    /// Most bytes of one tensor.
    pub(super) largest: usize,
}

/// How a program trains.
#[derive(Clone, Debug)]
pub(super) struct TrainStepOptions {
    pub(super) batch: usize,
    pub(super) recipe: Recipe,
    /// Share of the target that all classes have alike.
    pub(super) label_smoothing: f32,
    /// What becomes of the images.
    pub(super) augmentation: Augmentation,
    /// What dropout's random numbers follow from; it drops nothing where there is none.
    pub(super) dropout: Option<u64>,
    /// As what layers hand floats on. Blocks of steps of one image each keep theirs in 32 bits.
    pub(super) element: Element,
    /// Whether parameters have running averages.
    pub(super) averaged: bool,
    /// Whether the learning rate is the same in every step.
    pub(super) is_constant: bool,
}
