//! The tensors of a plan, with their names and what they are for.

use crate::tensor::Tensor;
use crate::tensor::layout::FileLayout;

/// What a tensor is for, which decides what may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// Written by the host before the first step, read by ops: images, labels, the epoch's order.
    Input,
    /// Trained: weights and biases. Saved under the tensor's name.
    Parameter,
    /// Not trained but learnt: a batch norm's running mean, which training steps write and evaluations read, or filters that
    /// follow from the training images. Saved with the parameters.
    Statistic,
    /// Kept by an optimizer from step to step, starts as zeros.
    State,
    /// Lives within one step; its content before the step does not matter.
    Scratch,
    /// A ring with one slot per run of a step, read back by the host: losses, counts, penalties.
    Metric,
}

/// A tensor of a plan, with its name and what it is for.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The handle.
    pub tensor: Tensor,
    /// Unique among parameters; PyTorch's names there (`0.weight`).
    pub name: String,
    /// What the tensor is for.
    pub role: Role,
    /// How pixels were normalised: scale and shift of each channel, `[channels, 2]`.
    pub normalisation: Option<Tensor>,
    /// How files have it, where that is another order of its values.
    pub file_layout: Option<FileLayout>,
}

impl Declaration {
    /// Its sizes in files, outermost first.
    pub fn file_shape(&self) -> Vec<usize> {
        self.file_layout.map_or_else(|| self.tensor.shape().sizes().to_vec(), |layout| layout.shape())
    }

    /// Its values, as files have them.
    pub fn to_file(&self, values: Vec<f32>) -> Vec<f32> {
        match self.file_layout {
            Some(layout) => layout.to_file(&values),
            None => values,
        }
    }

    /// What files have, as values of the tensor.
    pub fn from_file(&self, values: &[f32]) -> Vec<f32> {
        self.file_layout.map_or_else(|| values.to_vec(), |layout| layout.from_file(values))
    }
}
