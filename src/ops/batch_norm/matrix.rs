//! A map viewed as the matrix that batch normalisation works on, and the dispatches over its parts.

use crate::kernel::shaders::{self, BatchNormParams};
use crate::kernel::{Dispatch, MOST_GROUPS, PlainKernel};
use crate::plan::StepRecord;
use crate::tensor::{Shape, Tensor};

/// The constants of a normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalisation {
    /// Added to the variance; PyTorch's default is 1e-5.
    pub epsilon: f32,
    /// Weight of a step's statistics in the running statistics; PyTorch's default is 0.1.
    pub momentum: f32,
}

/// Rows of a partial sum.
pub(super) const PART: usize = 1024;
/// Channels of a workgroup that sums, and invocations that share the rows of each channel.
const CHANNELS: u32 = shaders::BATCH_NORM_MOMENTS.workgroup()[0];
pub(super) const LANES: u32 = shaders::BATCH_NORM_MOMENTS.workgroup()[1];

/// Sizes of a map viewed as a matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix {
    pub(super) rows: usize,
    pub(super) cells: usize,
    pub(super) channels: usize,
}

impl Matrix {
    #[track_caller]
    pub(super) fn of(x: Tensor) -> Self {
        x.expect_floats("x", x.shape());
        let shape = x.shape();
        let [batch, .., channels] = *shape.sizes() else {
            panic!("x must be a batch, but has shape {shape:?}");
        };
        let rows = shape.len() / channels;
        let matrix = Matrix { rows, cells: rows / batch, channels };
        assert!(matrix.parts() <= MOST_GROUPS as usize, "a batch of {rows} rows is too large");
        matrix
    }

    pub(super) fn parts(&self) -> usize {
        self.rows.div_ceil(PART)
    }

    pub(super) fn partials(&self) -> Shape {
        [self.parts(), 2, self.channels].into()
    }

    pub(super) fn moments(&self) -> Shape {
        [2, self.channels].into()
    }

    /// Number of elements in rows that belong to images, not padding.
    pub(super) fn valid(&self, step: &StepRecord) -> usize {
        (step.rows as usize * self.cells).min(self.rows) * self.channels
    }

    pub(super) fn params(&self, normalisation: Normalisation) -> BatchNormParams {
        BatchNormParams {
            rows: self.rows as u32,
            cells: self.cells as u32,
            channels: self.channels as u32,
            parts: self.parts() as u32,
            epsilon: normalisation.epsilon,
            momentum: normalisation.momentum,
        }
    }

    /// A dispatch with one workgroup for each part and 16 channels.
    pub(super) fn by_part(
        &self,
        kernel: &'static PlainKernel<BatchNormParams>,
        params: BatchNormParams,
        tensors: &[Tensor],
        iterations: u64,
    ) -> Dispatch {
        let grid = [(self.channels as u32).div_ceil(CHANNELS), self.parts() as u32, 1];
        kernel.dispatch(params, tensors, grid, iterations)
    }

    /// A dispatch with one invocation for each channel.
    pub(super) fn by_channel(
        &self,
        kernel: &'static PlainKernel<BatchNormParams>,
        params: BatchNormParams,
        tensors: &[Tensor],
        iterations: u64,
    ) -> Dispatch {
        kernel.for_each(self.channels, params, tensors, iterations)
    }

    /// A dispatch with one invocation for each element.
    pub(super) fn by_element(
        &self,
        kernel: &'static PlainKernel<BatchNormParams>,
        params: BatchNormParams,
        tensors: &[Tensor],
    ) -> Dispatch {
        kernel.for_each(self.rows * self.channels, params, tensors, 0)
    }
}
