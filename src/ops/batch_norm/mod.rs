//! Batch normalisation (Ioffe and Szegedy, "Batch normalization", 2015, algorithms 1 and 2):
//! `y = (x - mean) / sqrt(variance + epsilon) * weight + bias`, per channel.
//!
//! In training, mean and variance are those of the batch's images, over all places of the map; rows
//! of padding in a last, partial batch count for nothing. [`statistics`] finds them and moves the
//! running ones towards them, as PyTorch's `nn.BatchNorm2d` does: the batch is normalised with the
//! biased variance, the running variance takes the unbiased one. An evaluation normalises with the
//! running ones, [`recall`]. A single value a channel, as a last batch of one image may have, has
//! no variance, so it is normalised as in an evaluation and leaves the running ones as they are.
//! Either way the result is *moments*, `[2, channels]` of the mean and `1 / sqrt(variance +
//! epsilon)`, which [`apply`] applies.
//!
//! The gradients in training, with `n = (x - mean) / sqrt(variance + epsilon)` and N values a
//! channel: `dbias = sum of dy`, `dweight = sum of dy n`, `dx = weight / sqrt(variance + epsilon)
//! (dy - dbias / N - n dweight / N)`; of a single value, whose moments do not depend on it, `dx =
//! weight / sqrt(variance + epsilon) dy`.
//!
//! `x`, `y` and their gradients are `[batch, ..., channels]`. Sums are cut into parts of 1,024
//! rows, of which a GPU's workgroup sums one; the parts are joined in order.

mod backward;
mod forward;
mod matrix;

pub use backward::{Gradients, backward};
pub use forward::{Running, apply, recall, statistics};
pub use matrix::Normalisation;
