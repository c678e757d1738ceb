//! Batch normalisation (Ioffe and Szegedy, "Batch normalization", 2015, algorithms 1 and 2):
//! `y = (x - mean) / sqrt(variance + epsilon) * weight + bias`, per channel.
//!
//! In training, mean and variance are those of the batch's images, over all cells of the map; the
//! padding rows of a last, partial batch are ignored. [`statistics`] computes them and updates the
//! running statistics, as PyTorch's `nn.BatchNorm2d` does: the batch is normalised with the biased
//! variance, and the running variance is updated with the unbiased one. An evaluation normalises
//! with the running statistics, through [`recall`]. A channel with a single value, as in a last
//! batch of one image, has no variance, so it is normalised as in an evaluation and does not change
//! the running statistics. In both cases the result is the *moments*, `[2, channels]` of the mean
//! and `1 / sqrt(variance + epsilon)`, which [`apply`] uses.
//!
//! The gradients in training, with `n = (x - mean) / sqrt(variance + epsilon)` and N values per
//! channel: `dbias = sum of dy`, `dweight = sum of dy n`, `dx = weight / sqrt(variance + epsilon)
//! (dy - dbias / N - n dweight / N)`. For a single value, whose moments do not depend on it, `dx =
//! weight / sqrt(variance + epsilon) dy`.
//!
//! `x`, `y` and their gradients are `[batch, ..., channels]`. Sums are computed as partial sums of
//! 1,024 rows, one per workgroup on a GPU, which are added in order.

mod backward;
mod forward;
mod matrix;

pub use backward::{Gradients, backward};
pub use forward::{Running, apply, recall, statistics};
pub use matrix::Normalisation;
