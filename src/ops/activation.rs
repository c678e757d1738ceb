//! Activations other than [ReLU](super::relu): `y = f(x)`, element by element, and their gradients
//! `dx = f'(x) dy`.
//!
//! All tensors have one shape. One frame of shaders serves all, with a function and its slope in front.
//! NaN passes through, so that a diverged run is seen at the loss.

use rayon::prelude::*;

use crate::kernel::shaders::{self, ActivationParams};
use crate::kernel::{Dispatch, GpuFacts, PlainKernel};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::Tensor;

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `x P(x)`, where `P(x)` is how much of a normal distribution lies below `x` (Hendrycks and Gimpel,
    /// "Gaussian error linear units", 2016, section 2; PyTorch's default, not its `tanh` form).
    Gelu,
    /// `x`, or `slope x` where `x` is negative.
    LeakyRelu {
        /// PyTorch's `negative_slope`.
        slope: f32,
    },
    /// `factor x`.
    Scale {
        /// What every value is multiplied with.
        factor: f32,
    },
}

/// Records `y = f(x)` and returns `y`.
#[track_caller]
pub fn forward(plan: &mut Plan, activation: Activation, x: Tensor) -> Tensor {
    x.expect_floats("x", x.shape());
    let y = plan.scratch_of(x.element(), "activation.y", x.shape());
    plan.record(Forward { activation, x, y });
    y
}

/// Records `dx = f'(x) dy` and returns `dx`; `x` is the forward pass's input.
#[track_caller]
pub fn backward(plan: &mut Plan, activation: Activation, x: Tensor, dy: Tensor) -> Tensor {
    x.expect_floats("x", x.shape());
    dy.expect("dy", x.element(), x.shape());
    let dx = plan.scratch_of(x.element(), "activation.dx", x.shape());
    plan.record(Backward { activation, x, dy, dx });
    dx
}

#[derive(Debug)]
struct Forward {
    activation: Activation,
    x: Tensor,
    y: Tensor,
}

#[derive(Debug)]
struct Backward {
    activation: Activation,
    x: Tensor,
    dy: Tensor,
    dx: Tensor,
}

/// `P(x)`, from the complementary error function: a Chebyshev approximation with a relative error below
/// 1.2e-7 (Press et al., "Numerical Recipes in C", 2nd edition, section 6.2).
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

/// Density of the normal distribution.
fn normal_density(x: f32) -> f32 {
    /// 1 / sqrt(2 pi)
    const PEAK: f32 = 0.398_942_3;
    PEAK * (-0.5 * x * x).exp()
}

impl Activation {
    fn value(self, x: f32) -> f32 {
        match self {
            Activation::Gelu => x * normal_below(x),
            Activation::LeakyRelu { slope } if x < 0.0 => slope * x,
            Activation::LeakyRelu { .. } => x,
            Activation::Scale { factor } => factor * x,
        }
    }

    fn slope(self, x: f32) -> f32 {
        match self {
            Activation::Gelu => normal_below(x) + x * normal_density(x),
            Activation::LeakyRelu { .. } if x > 0.0 => 1.0,
            Activation::LeakyRelu { slope } => slope,
            Activation::Scale { factor } => factor,
        }
    }

    fn dispatch(
        self,
        kernels: [&'static PlainKernel<ActivationParams>; 2],
        tensors: &[Tensor],
    ) -> Vec<Dispatch> {
        let length = tensors[0].len();
        let [gelu, leaky_relu] = kernels;
        let (kernel, slope, rise) = match self {
            Activation::Gelu => (gelu, 0.0, 0.0),
            Activation::LeakyRelu { slope } => (leaky_relu, slope, 1.0),
            Activation::Scale { factor } => (leaky_relu, factor, factor),
        };
        let params = ActivationParams { length: length as u32, slope, rise };
        vec![kernel.for_each(length, params, tensors, 0)]
    }
}

/// Elements that one thread computes at a time.
const CHUNK: usize = 1 << 14;

impl Op for Forward {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x], &[self.y])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let x = memory.f32(self.x);
        let mut y = memory.f32_mut(self.y);
        y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = self.activation.value(x);
            }
        });
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        self.activation.dispatch([&shaders::GELU, &shaders::LEAKY_RELU], &[self.x, self.y])
    }
}

impl Op for Backward {
    fn name(&self) -> &'static str {
        "activation_backward"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x, self.dy], &[self.dx])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let (x, dy) = (memory.f32(self.x), memory.f32(self.dy));
        let mut dx = memory.f32_mut(self.dx);
        let inputs = x.par_chunks(CHUNK).zip(dy.par_chunks(CHUNK));
        dx.par_chunks_mut(CHUNK).zip(inputs).for_each(|(dx, (x, dy))| {
            for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
                *dx = self.activation.slope(x) * dy;
            }
        });
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        self.activation
            .dispatch([&shaders::GELU_BACKWARD, &shaders::LEAKY_RELU_BACKWARD], &[self.x, self.dy, self.dx])
    }
}
