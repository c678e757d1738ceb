//! The forward pass of a trained model in terms of modules that every framework has.

use super::pool_kind::PoolKind;
use crate::ops::{Activation, Window};
use crate::tensor::Tensor;

/// A module of a trained model's forward pass, which exports translate into other formats. It is
/// the module of PyTorch's `nn.Sequential` at the same position.
#[derive(Clone, Debug, PartialEq)]
pub enum Module {
    /// `y = x w^T + b` for images that are rows: `nn.Linear`.
    Linear {
        /// `[outputs, inputs]`.
        weight: Tensor,
        /// `[outputs]`.
        bias: Tensor,
    },
    /// A convolution: `nn.Conv2d`.
    Conv {
        /// `[filters, height, width, channels]`;
        /// [in files](crate::plan::Declaration::file_layout) channels come second.
        weight: Tensor,
        /// `[filters]`.
        bias: Option<Tensor>,
        /// Size, stride and padding.
        window: Window,
    },
    /// `y = (x - mean) / sqrt(variance + epsilon) * weight + bias` per channel: `nn.BatchNorm2d` in
    /// evaluation mode. All tensors are `[channels]`.
    BatchNorm {
        /// The scale.
        weight: Tensor,
        /// The shift.
        bias: Tensor,
        /// The running mean.
        mean: Tensor,
        /// The running variance.
        variance: Tensor,
        /// Term that keeps the denominator from being zero.
        epsilon: f32,
    },
    /// Pooling: `nn.MaxPool2d`, or `nn.AvgPool2d` with `count_include_pad`.
    Pool(PoolKind, Window),
    /// Flattens a map, channel by channel: `nn.Flatten`.
    Flatten,
    /// An activation function of every element.
    Activation(Activation),
    /// `y = x`: dropout in evaluation mode.
    Identity,
    /// The sum of the outputs of two sequences of modules with the same input.
    Residual {
        /// The body, with at least one module.
        body: Vec<Module>,
        /// The shortcut. If it is empty, it is the identity.
        shortcut: Vec<Module>,
    },
}
