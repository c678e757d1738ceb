//! The list of activations: names, formulas and kernels.

use std::fmt;
use std::mem::discriminant;

use crate::kernel::PlainKernel;
use crate::kernel::shaders::{self, ActivationParams};
use crate::ops::relu;

/// An activation function. Its `Display` is the spelling in models: `leakyrelu:0.01`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `x P(x)`, where `P` is the distribution function of the standard normal distribution
    /// (Hendrycks and Gimpel, "Gaussian error linear units", 2016, section 2; PyTorch's default,
    /// not its `tanh` approximation).
    Gelu,
    /// `x`, or `slope x` if `x` is negative.
    LeakyRelu {
        /// PyTorch's `negative_slope`.
        slope: f32,
    },
    /// `x / (1 + exp(-x))` (Elfwing et al., "Sigmoid-weighted linear units", 2017, section 2.1).
    Silu,
    /// `x min(max(x + 3, 0), 6) / 6` (Howard et al., "Searching for MobileNetV3", 2019, section
    /// 5.2).
    Hardswish,
    /// `min(max(x, 0), 6)` (Howard et al., "MobileNets", 2017).
    Relu6,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `factor x`.
    Scale {
        /// The constant.
        factor: f32,
    },
}

/// The argument of an activation: the number after its name.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// The argument's meaning, for messages.
    pub meaning: &'static str,
    /// The value that is used if a model does not give one.
    pub default: Option<f32>,
    /// Makes the activation with this argument.
    pub set: fn(f32) -> Activation,
}

struct Row {
    /// The activation, with an argument that suits an example.
    activation: Activation,
    name: &'static str,
    /// PyTorch's module and the formula, in Markdown.
    summary: &'static str,
    argument: Option<Argument>,
    /// Where the derivative jumps, in ascending order.
    kinks: &'static [f64],
    /// The forward and the backward kernel, unless the activation is a separate op.
    kernels: Option<[&'static PlainKernel<ActivationParams>; 2]>,
}

/// All activations, in the order of help and messages.
static TABLE: &[Row] = &[
    Row {
        activation: Activation::Relu,
        name: "relu",
        summary: "`nn.ReLU`: `max(x, 0)`",
        argument: None,
        kinks: &[0.0],
        kernels: None,
    },
    Row {
        activation: Activation::Gelu,
        name: "gelu",
        summary: "`nn.GELU`: `x P(x)`, `P` the standard normal distribution function",
        argument: None,
        kinks: &[],
        kernels: Some([&shaders::GELU, &shaders::GELU_BACKWARD]),
    },
    Row {
        activation: Activation::LeakyRelu { slope: 0.01 },
        name: "leakyrelu",
        summary: "`nn.LeakyReLU`: `x`, or `0.01 x` where `x` is negative",
        argument: Some(Argument {
            meaning: "a slope",
            default: Some(0.01),
            set: |slope| Activation::LeakyRelu { slope },
        }),
        kinks: &[0.0],
        kernels: Some([&shaders::LEAKY_RELU, &shaders::LEAKY_RELU_BACKWARD]),
    },
    Row {
        activation: Activation::Silu,
        name: "silu",
        summary: "`nn.SiLU`: `x / (1 + exp(-x))`",
        argument: None,
        kinks: &[],
        kernels: Some([&shaders::SILU, &shaders::SILU_BACKWARD]),
    },
    Row {
        activation: Activation::Hardswish,
        name: "hardswish",
        summary: "`nn.Hardswish`: `x min(max(x + 3, 0), 6) / 6`",
        argument: None,
        kinks: &[-3.0, 3.0],
        kernels: Some([&shaders::HARDSWISH, &shaders::HARDSWISH_BACKWARD]),
    },
    Row {
        activation: Activation::Relu6,
        name: "relu6",
        summary: "`nn.ReLU6`: `min(max(x, 0), 6)`",
        argument: None,
        kinks: &[0.0, 6.0],
        kernels: Some([&shaders::RELU6, &shaders::RELU6_BACKWARD]),
    },
    Row {
        activation: Activation::Sigmoid,
        name: "sigmoid",
        summary: "`nn.Sigmoid`: `1 / (1 + exp(-x))`",
        argument: None,
        kinks: &[],
        kernels: Some([&shaders::SIGMOID, &shaders::SIGMOID_BACKWARD]),
    },
    Row {
        activation: Activation::Tanh,
        name: "tanh",
        summary: "`nn.Tanh`: the hyperbolic tangent",
        argument: None,
        kinks: &[],
        kernels: Some([&shaders::TANH, &shaders::TANH_BACKWARD]),
    },
    Row {
        activation: Activation::Scale { factor: 0.125 },
        name: "scale",
        summary: "every value times a constant",
        argument: Some(Argument {
            meaning: "a factor",
            default: None,
            set: |factor| Activation::Scale { factor },
        }),
        kinks: &[],
        kernels: Some([&shaders::SCALE, &shaders::SCALE_BACKWARD]),
    },
];

impl Activation {
    /// `f(x)` in f32.
    pub(super) fn value(self, x: f32) -> f32 {
        match self {
            Activation::Relu => relu::relu(x),
            Activation::Gelu => x * normal_below(x),
            Activation::LeakyRelu { slope } if x < 0.0 => slope * x,
            Activation::LeakyRelu { .. } => x,
            Activation::Silu => x * logistic(x),
            Activation::Hardswish if x <= -3.0 => 0.0,
            Activation::Hardswish if x >= 3.0 => x,
            Activation::Hardswish => x * (x + 3.0) / 6.0,
            // Unlike `max` and `min`, these comparisons keep NaN.
            Activation::Relu6 if x > 6.0 => 6.0,
            Activation::Relu6 => relu::relu(x),
            Activation::Sigmoid => logistic(x),
            Activation::Tanh => x.tanh(),
            Activation::Scale { factor } => factor * x,
        }
    }

    /// `f'(x)` in f32; at a kink, PyTorch's choice.
    pub(super) fn derivative(self, x: f32) -> f32 {
        match self {
            Activation::Relu => f32::from(x > 0.0),
            Activation::Gelu => normal_below(x) + x * normal_density(x),
            Activation::LeakyRelu { .. } if x > 0.0 => 1.0,
            Activation::LeakyRelu { slope } => slope,
            Activation::Silu => logistic(x) + x * logistic_derivative(x),
            Activation::Hardswish if x <= -3.0 => 0.0,
            Activation::Hardswish if x >= 3.0 => 1.0,
            Activation::Hardswish => x / 3.0 + 0.5,
            Activation::Relu6 => f32::from(x > 0.0 && x < 6.0),
            Activation::Sigmoid => logistic_derivative(x),
            Activation::Tanh => 4.0 * logistic_derivative(2.0 * x),
            Activation::Scale { factor } => factor,
        }
    }

    /// `f(x)` in f64, on the smooth piece of `f` after the first `piece` [kinks](Self::kinks).
    /// Gradients are checked against differences of these values.
    pub(crate) fn exact(self, x: f64, piece: usize) -> f64 {
        match self {
            Activation::Relu => [0.0, x][piece],
            Activation::Gelu => x * 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
            Activation::LeakyRelu { slope } => [f64::from(slope) * x, x][piece],
            Activation::Silu => x / (1.0 + (-x).exp()),
            Activation::Hardswish => [0.0, x * (x + 3.0) / 6.0, x][piece],
            Activation::Relu6 => [0.0, x, 6.0][piece],
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Activation::Tanh => x.tanh(),
            Activation::Scale { factor } => f64::from(factor) * x,
        }
    }

    /// All activations; those with an argument have one that suits an example.
    pub fn all() -> impl Iterator<Item = Activation> {
        TABLE.iter().map(|row| row.activation)
    }

    fn row(self) -> &'static Row {
        let is_this = |row: &&Row| discriminant(&row.activation) == discriminant(&self);
        TABLE.iter().find(is_this).expect("every activation is in the table")
    }

    /// The name in a model's text.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// PyTorch's module and the formula, in Markdown.
    pub fn summary(self) -> &'static str {
        self.row().summary
    }

    /// The argument that may follow the name in a model's text, if the activation has one.
    pub fn argument(self) -> Option<Argument> {
        self.row().argument
    }

    /// Where the derivative jumps, in ascending order.
    pub(crate) fn kinks(self) -> &'static [f64] {
        self.row().kinks
    }

    /// The value of the [argument](Self::argument).
    pub(super) fn argument_value(self) -> Option<f32> {
        match self {
            Activation::LeakyRelu { slope: value } | Activation::Scale { factor: value } => Some(value),
            _ => None,
        }
    }

    /// The forward and the backward kernel.
    ///
    /// # Panics
    /// For [`Activation::Relu`], which is recorded as a separate op.
    pub(super) fn kernels(self) -> [&'static PlainKernel<ActivationParams>; 2] {
        self.row().kernels.expect("ReLU is recorded as a separate op")
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())?;
        self.argument_value().map_or(Ok(()), |value| write!(formatter, ":{value}"))
    }
}

/// The standard normal distribution function, from the complementary error function: a Chebyshev
/// approximation with a relative error below 1.2e-7 (Press et al., "Numerical Recipes in C",
/// 2nd edition, section 6.2).
fn normal_below(x: f32) -> f32 {
    const SERIES: [f32; 10] = [
        -1.265_512_2,
        1.000_023_7,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_204,
        1.488_515_9,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x.abs() * std::f32::consts::FRAC_1_SQRT_2);
    let series = SERIES.iter().rev().fold(0.0, |sum, factor| sum * t + factor);
    let tail = 0.5 * t * (-0.5 * x * x + series).exp();
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// Density of the standard normal distribution.
fn normal_density(x: f32) -> f32 {
    /// 1 / sqrt(2 pi)
    const PEAK: f32 = 0.398_942_3;
    PEAK * (-0.5 * x * x).exp()
}

/// `1 / (1 + exp(-x))`, from `exp(-|x|)`, which cannot overflow.
fn logistic(x: f32) -> f32 {
    let e = (-x.abs()).exp();
    let numerator = if x >= 0.0 { 1.0 } else { e };
    numerator / (1.0 + e)
}

/// `logistic(x) (1 - logistic(x))`, computed without the difference, which loses digits if x is
/// large.
fn logistic_derivative(x: f32) -> f32 {
    let e = (-x.abs()).exp();
    e / ((1.0 + e) * (1.0 + e))
}
