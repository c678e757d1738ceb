//! Convolution of maps: `y[o] = sum over the cells of a window and their channels i of x[cell, i]
//! w[o, kernel position of the cell, i]`, plus a bias, for every window; see [`Window`]. Padding
//! counts as zeros.
//!
//! As in every deep-learning library, it is a cross-correlation. Each of its three passes is a
//! matrix product with *patches*, `[batch * output height * output width, window height * window
//! width * channels]`, of which a row is the contents of one window (Chellapilla, Puri and Simard,
//! "High performance convolutional neural networks for document processing", 2006, section 3.1):
//!
//! ```text
//! y        = patches w^T                                              forward
//! dpatches = dy w, and dx = the sum of a cell's elements of dpatches  data gradient
//! dw       = dy^T patches                                             weight gradient
//! ```
//!
//! The gradient of the bias is the [column sum](super::column_sum) of `dy`.
//!
//! Patches are never stored. The CPU half multiplies cells in place. The GPU half uses products of
//! [`matmul`] with patches as an operand, whose elements the kernels load from the map (implicit
//! GEMM).
//!
//! All tensors except `dw` and the bias may be f16, together; `dy` and `dx` then have a
//! [scale](StepRecord::gradient_scale).
//!
//! `x` and `dx` are `[batch, height, width, channels]`, `y` and `dy` `[batch, output height, output
//! width, filters]`, `w` and `dw` `[filters, window height, window width, channels]`.
//!
//! ```
//! use shadegrad::ops::{Window, conv2d};
//! use shadegrad::plan::{Plan, Role};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let x = plan.declare("x", Role::Input, Element::F32, [2, 8, 8, 3]);
//! let w = plan.declare("w", Role::Parameter, Element::F32, [16, 3, 3, 3]);
//! plan.begin("example");
//! let y = conv2d::forward(&mut plan, x, w, None, false, Window::square(3, 1, 1));
//! assert_eq!(y.shape().sizes(), [2, 8, 8, 16]);
//! ```

mod cpu;
mod gpu;
mod sizes;

use super::matmul::{self, Epilogue, Product};
use super::relu;
use super::window::Window;
use crate::kernel::{Dispatch, GpuFacts};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord, TuneSet};
use crate::tensor::{Element, Shape, Tensor};
use sizes::Sizes;

/// Records `y = convolution of x with weight`, plus `bias` (`[filters]`) if there is one, then ReLU
/// if `relu`, and returns `y`.
///
/// # Panics
/// If the shapes do not match, or if sums are too long.
#[track_caller]
pub fn forward(
    plan: &mut Plan,
    x: Tensor,
    weight: Tensor,
    bias: Option<Tensor>,
    relu: bool,
    window: Window,
) -> Tensor {
    x.expect_floats("x", x.shape());
    let sizes = Sizes::new(x.shape(), filters("weight", weight), window);
    weight.expect("weight", x.element(), sizes.weight());
    if let Some(bias) = bias {
        bias.expect("bias", Element::F32, [sizes.filters]);
    }
    let y = plan.scratch_of(x.element(), "conv2d.y", sizes.output());
    let epilogue = bias.map_or(Epilogue::None, |bias| Epilogue::Bias { bias, relu });
    let product = gpu::forward(plan, &sizes, x, weight, y, epilogue);
    plan.record(Convolution { pass: Pass::Forward, sizes, product });
    if relu && bias.is_none() { relu::forward(plan, y) } else { y }
}

/// Records the gradient of `x`, which has shape `x_shape`, and returns it. It is zero where `mask`,
/// the output of the previous layer's ReLU, is not positive.
///
/// # Panics
/// If the shapes do not match, or if sums are too long.
#[track_caller]
pub fn data_gradient(
    plan: &mut Plan,
    dy: Tensor,
    weight: Tensor,
    x_shape: impl Into<Shape>,
    mask: Option<Tensor>,
    window: Window,
) -> Tensor {
    let sizes = Sizes::new(x_shape.into(), filters("weight", weight), window);
    dy.expect_floats("dy", sizes.output());
    weight.expect("weight", dy.element(), sizes.weight());
    if let Some(mask) = mask {
        mask.expect("mask", dy.element(), sizes.input());
    }
    let dx = plan.scratch_of(dy.element(), "conv2d.dx", sizes.input());
    let product =
        gpu::data_gradient(plan, &sizes, dy, weight, dx, mask.map_or(Epilogue::None, Epilogue::Mask));
    plan.record(Convolution { pass: Pass::DataGradient, sizes, product });
    dx
}

/// Records the gradient of the weight and returns it.
///
/// # Panics
/// If the shapes do not match, or if sums are too long.
#[track_caller]
pub fn weight_gradient(plan: &mut Plan, dy: Tensor, x: Tensor, window: Window) -> Tensor {
    x.expect_floats("x", x.shape());
    let [.., filters] = *dy.shape().sizes() else { unreachable!("tensors have sizes") };
    let sizes = Sizes::new(x.shape(), filters, window);
    dy.expect("dy", x.element(), sizes.output());
    let dw = plan.scratch("conv2d.dw", sizes.weight());
    let product = gpu::weight_gradient(plan, &sizes, dy, x, dw);
    plan.record(Convolution { pass: Pass::WeightGradient, sizes, product });
    dw
}

#[track_caller]
fn filters(operand: &str, weight: Tensor) -> usize {
    let [filters, _, _, _] = *weight.shape().sizes() else {
        panic!("{operand} must be [filters, height, width, channels], but has shape {:?}", weight.shape());
    };
    filters
}

/// One of a convolution's three passes.
#[derive(Clone, Copy, Debug)]
enum Pass {
    Forward,
    DataGradient,
    WeightGradient,
}

/// A recorded pass, as a matrix product.
#[derive(Debug)]
struct Convolution {
    pass: Pass,
    sizes: Sizes,
    product: Product,
}

impl Op for Convolution {
    fn name(&self) -> &'static str {
        match self.pass {
            Pass::Forward => "conv2d",
            Pass::DataGradient => "conv2d_data_gradient",
            Pass::WeightGradient => "conv2d_weight_gradient",
        }
    }

    fn operands(&self) -> Operands {
        self.product.operands()
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let run = match self.pass {
            Pass::Forward => cpu::forward,
            Pass::DataGradient => cpu::data_gradient,
            Pass::WeightGradient => cpu::weight_gradient,
        };
        run(&self.sizes, &self.product, memory);
        let factor = self.product.factor(step);
        if factor != 1.0 {
            memory.f32_mut(self.product.y).iter_mut().for_each(|y| *y *= factor);
        }
    }

    fn lower(&self, gpu: &GpuFacts) -> Vec<Dispatch> {
        matmul::gpu::lower(&self.product, gpu)
    }

    fn tune_set(&self, gpu: &GpuFacts) -> Option<TuneSet> {
        matmul::gpu::tune_set(&self.product, gpu)
    }
}
