//! Declarations of a plan's tensors.

use crate::tensor::{FileLayout, Tensor};

/// The purpose of a tensor, which determines who may write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Written by the host before the first step, read by ops: images, labels, the epoch's order.
    Input,
    /// Trained: weights and biases. Saved under its name.
    Parameter,
    /// Not trained, but saved with the parameters: running statistics of a batch norm, which
    /// training steps update and evaluations read, or filters that are computed from the training
    /// images.
    Statistic,
    /// Optimizer state: kept from step to step, initially zero.
    State,
    /// Lives within one step; its contents before the step are irrelevant.
    Scratch,
    /// A ring with one slot per run of a step, which the host reads back: losses, counts,
    /// penalties.
    Metric,
}

/// A tensor of a plan, with its name and role.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The handle.
    pub tensor: Tensor,
    /// Unique among parameters, whose names are those of PyTorch (`0.weight`).
    pub name: String,
    /// The purpose of the tensor.
    pub role: Role,
    /// For a tensor of pixels, their normalisation: scale and shift per channel, `[channels, 2]`.
    pub normalisation: Option<Tensor>,
    /// The layout in files, if it differs from that on devices.
    pub file_layout: Option<FileLayout>,
}

impl Declaration {
    /// The shape in files, outermost dimension first.
    pub fn file_shape(&self) -> Vec<usize> {
        self.file_layout.map_or_else(|| self.tensor.shape().sizes().to_vec(), |layout| layout.shape())
    }

    /// Converts values of the tensor to the layout of files.
    pub fn to_file(&self, values: Vec<f32>) -> Vec<f32> {
        match self.file_layout {
            Some(layout) => layout.to_file(&values),
            None => values,
        }
    }

    /// Converts values from the layout of files.
    pub fn from_file(&self, values: &[f32]) -> Vec<f32> {
        self.file_layout.map_or_else(|| values.to_vec(), |layout| layout.from_file(values))
    }
}
