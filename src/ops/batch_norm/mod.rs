//! Batch normalisation (Ioffe and Szegedy, "Batch normalization", 2015, algorithms 1 and 2):
//! `y = (x - mean) / sqrt(variance + epsilon) * weight + bias`, per channel.
//!
//! In training, mean and variance are those of the batch's images, over all places of the map; rows of
//! padding in a last, partial batch count for nothing. [`statistics`] finds them and moves the running
//! ones towards them, as PyTorch's `nn.BatchNorm2d` does: the batch is normalised with the biased variance,
//! the running variance takes the unbiased one. An evaluation normalises with the running ones,
//! [`recall`]. A single value a channel, as a last batch of one image may have, has no variance, so
//! it is normalised as in an evaluation and leaves the running ones as they are. Either way the
//! result is *moments*, `[2, channels]` of the mean and `1 / sqrt(variance + epsilon)`, which
//! [`apply`] applies.
//!
//! The gradients in training, with `n = (x - mean) / sqrt(variance + epsilon)` and N values a channel:
//! `dbias = sum of dy`, `dweight = sum of dy n`,
//! `dx = weight / sqrt(variance + epsilon) (dy - dbias / N - n dweight / N)`; of a single value,
//! whose moments do not depend on it, `dx = weight / sqrt(variance + epsilon) dy`.
//!
//! `x`, `y` and their gradients are `[batch, ..., channels]`. Sums are cut into parts of 1,024 rows, of which
//! a GPU's workgroup sums one; the parts are joined in order.

mod backward;
mod forward;

use std::borrow::Cow;

pub use backward::{Gradients, backward};
pub use forward::{Normalisation, Running, apply, recall, statistics};

use crate::kernel::{Binding, Dispatch, Kernel, MOST_GROUPS, Uniform, fold, uniform};
use crate::plan::StepRecord;
use crate::tensor::{Shape, Tensor};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    forward::KERNELS.into_iter().chain(backward::KERNELS).flat_map(Kernel::in_each).collect()
}

uniform! {
    struct Params {
        rows: u32,
        /// Rows of one image.
        cells: u32,
        channels: u32,
        parts: u32,
        epsilon: f32,
        /// What a step's statistics count in the running ones.
        momentum: f32,
    }
}

/// Rows that are summed together.
const PART: usize = 1024;
/// Channels of a workgroup that sums, and invocations that share the rows of each.
const CHANNELS: u32 = 16;
const LANES: u32 = 16;

/// A map, as a matrix.
#[derive(Clone, Copy, Debug)]
struct Matrix {
    rows: usize,
    cells: usize,
    channels: usize,
}

impl Matrix {
    #[track_caller]
    fn of(x: Tensor) -> Self {
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

    fn parts(&self) -> usize {
        self.rows.div_ceil(PART)
    }

    fn partials(&self) -> Shape {
        [self.parts(), 2, self.channels].into()
    }

    fn moments(&self) -> Shape {
        [2, self.channels].into()
    }

    /// Elements of the rows that belong to images.
    fn valid(&self, step: &StepRecord) -> usize {
        (step.rows as usize * self.cells).min(self.rows) * self.channels
    }

    fn params(&self, normalisation: Normalisation) -> Params {
        Params {
            rows: self.rows as u32,
            cells: self.cells as u32,
            channels: self.channels as u32,
            parts: self.parts() as u32,
            epsilon: normalisation.epsilon,
            momentum: normalisation.momentum,
        }
    }

    /// A dispatch with one workgroup for each part and 16 channels.
    fn by_part(&self, kernel: &'static Kernel, params: Params, tensors: &[Tensor], trips: u64) -> Dispatch {
        let grid = [(self.channels as u32).div_ceil(CHANNELS), self.parts() as u32, 1];
        Dispatch::new(kernel, params, tensors, grid, trips)
    }

    /// A dispatch with one invocation for each channel.
    fn by_channel(
        &self,
        kernel: &'static Kernel,
        params: Params,
        tensors: &[Tensor],
        trips: u64,
    ) -> Dispatch {
        Dispatch::new(kernel, params, tensors, fold(self.channels, 64), trips)
    }

    /// A dispatch with one invocation for each element.
    fn by_element(&self, kernel: &'static Kernel, params: Params, tensors: &[Tensor]) -> Dispatch {
        Dispatch::new(kernel, params, tensors, fold(self.rows * self.channels, 256), 0)
    }
}

const fn kernel(
    name: &'static str,
    source: Cow<'static, str>,
    workgroup: [u32; 3],
    bindings: &'static [Binding],
    reads_step: bool,
) -> Kernel {
    Kernel {
        name: Cow::Borrowed(name),
        source,
        workgroup,
        params: Params::FIELDS,
        bindings: Cow::Borrowed(bindings),
        reads_step,
        subgroups: false,
    }
}
