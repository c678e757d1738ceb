//! A trained model's forward pass in terms that every framework has.

use super::pool_kind::PoolKind;
use crate::ops::activation::Activation;
use crate::ops::window::Window;
use crate::tensor::Tensor;

/// A step of a trained model's forward pass, which an export translates into another format: the
/// module of PyTorch's `nn.Sequential` at the same position.
#[derive(Clone, Debug, PartialEq)]
pub enum Module {
    /// `y = x w^T + b` of images whose values lie in one row: `nn.Linear`.
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
        /// Keeps the root from being zero.
        epsilon: f32,
    },
    /// A pool: `nn.MaxPool2d`, or `nn.AvgPool2d` with `count_include_pad`.
    Pool(PoolKind, Window),
    /// A map's values in a row, channel by channel: `nn.Flatten`.
    Flatten,
    /// A function of every element.
    Activation(Activation),
    /// `y = x`: a dropout in evaluation mode.
    Identity,
    /// The sum of the outputs of two lists of modules with the same input.
    Residual {
        /// At least one module.
        body: Vec<Module>,
        /// Empty for the input itself.
        shortcut: Vec<Module>,
    },
}
