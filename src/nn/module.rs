//! A trained model's forward pass in terms that every framework has.

use crate::ops::window::Window;
use crate::tensor::Tensor;

/// A step of a trained model's forward pass: what an export translates into another format. A stage is a module of PyTorch's
/// `nn.Sequential`, at the same position.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// `y = x w^T + b` of images whose values lie in one row.
    Linear {
        /// `[outputs, inputs]`.
        weight: Tensor,
        /// `[outputs]`.
        bias: Tensor,
    },
    /// A convolution, `nn.Conv2d`.
    Conv {
        /// `[filters, height, width, channels]`; [in files](crate::plan::Declaration::file_layout) channels come second.
        weight: Tensor,
        /// `[filters]`.
        bias: Option<Tensor>,
        /// Size, stride and padding.
        window: Window,
    },
    /// `y = (x - mean) / sqrt(variance + epsilon) * weight + bias` per channel, `nn.BatchNorm2d` in an evaluation.
    BatchNorm {
        /// `[channels]`, as all four.
        weight: Tensor,
        /// What is added.
        bias: Tensor,
        /// The running mean.
        mean: Tensor,
        /// The running variance.
        variance: Tensor,
        /// What keeps the root from being zero.
        epsilon: f32,
    },
    /// `nn.MaxPool2d`.
    MaxPool(Window),
    /// `nn.AvgPool2d`, with `count_include_pad`.
    AveragePool(Window),
    /// A map's values in a row, channel by channel: `nn.Flatten`.
    Flatten,
    /// `y = max(x, 0)`.
    Relu,
    /// `x P(x)`, P the normal distribution's: `nn.GELU`.
    Gelu,
    /// `x`, or `slope x` where `x` is negative: `nn.LeakyReLU`.
    LeakyRelu {
        /// PyTorch's `negative_slope`.
        slope: f32,
    },
    /// Nothing: a dropout in an evaluation.
    Identity,
    /// `y = factor x`.
    Scale {
        /// What everything is multiplied with.
        factor: f32,
    },
    /// The sum of what two lists of stages make of one input.
    Residual {
        /// At least one stage.
        body: Vec<Stage>,
        /// No stage: the input itself.
        shortcut: Vec<Stage>,
    },
}
