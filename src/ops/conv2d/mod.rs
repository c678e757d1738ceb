//! Convolution of maps: `y[o] = sum over the cells of a window and their channels i of x[cell, i] w[o, place of the
//! cell in the window, i]`, plus a bias, for every window; see [`Window`]. Padding counts as zeros.
//!
//! As in every deep-learning library it is a cross-correlation. Each of its three passes is a matrix product with
//! *patches*, `[batch * output height * output width, window height * window width * channels]`, whose row is
//! what one window covers (Chellapilla, Puri and Simard, "High performance convolutional neural networks for
//! document processing", 2006, section 3.1):
//!
//! ```text
//! y        = patches w^T                                             forward
//! dpatches = dy w, and dx = the sum of what dpatches has of a cell   data gradient
//! dw       = dy^T patches                                            weight gradient
//! ```
//!
//! The gradient of the bias is the [column sum](super::column_sum) of `dy`.
//!
//! The CPU half copies some lines of patches at a time and multiplies with the kernels of [`matmul`](super::matmul).
//! A GPU has no patches in memory: an invocation finds in the map what it multiplies (implicit GEMM), a tile of four
//! channels and four cells in registers. These kernels should move onto the templates of the matrix
//! product, with patches as another kind of operand, as pixels are one now.
//!
//! `x` and `dx` are `[batch, height, width, channels]`, `y` and `dy` `[batch, output height, output width, filters]`,
//! `w` and `dw` `[filters, window height, window width, channels]`.

mod cpu;
mod gpu;

use super::window::{Axis, Window};
use super::{GpuFacts, Op, Operands};
use crate::host::HostMemory;
use crate::kernel::{Dispatch, MOST_TRIPS};
use crate::plan::{Plan, StepRecord};
use crate::tensor::{Element, Shape, Tensor};

pub use gpu::kernels;

/// Records `y = convolution of x with weight`, plus `bias` (`[filters]`) where there is one, then ReLU if `relu`, and
/// returns `y`.
///
/// Panics where shapes do not fit each other, or where a window has too many channels for one invocation's loops.
#[track_caller]
pub fn forward(
    plan: &mut Plan,
    x: Tensor,
    weight: Tensor,
    bias: Option<Tensor>,
    relu: bool,
    window: Window,
) -> Tensor {
    x.expect("x", Element::F32, x.shape());
    let sizes = Sizes::new(x.shape(), filters("weight", weight), window);
    weight.expect("weight", Element::F32, sizes.weight());
    if let Some(bias) = bias {
        bias.expect("bias", Element::F32, [sizes.filters]);
    }
    sizes.expect_few_trips(gpu::forward_trips(&sizes));
    let y = plan.scratch("conv2d.y", sizes.output());
    plan.record(Forward { sizes, x, weight, bias, relu, y });
    y
}

/// Records the gradient of `x`, which has shape `x_shape`, and returns it: zero where `mask` is not positive. A mask is the
/// output of the ReLU of the layer before.
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
    weight.expect("weight", Element::F32, sizes.weight());
    dy.expect("dy", Element::F32, sizes.output());
    if let Some(mask) = mask {
        mask.expect("mask", Element::F32, sizes.input());
    }
    sizes.expect_few_trips(gpu::data_gradient_trips(&sizes));
    let dx = plan.scratch("conv2d.dx", sizes.input());
    plan.record(DataGradient { sizes, dy, weight, mask, dx });
    dx
}

/// Records the gradient of the weight and returns it. The sums over all windows are cut into parts, which are added up in
/// order.
#[track_caller]
pub fn weight_gradient(plan: &mut Plan, dy: Tensor, x: Tensor, window: Window) -> Tensor {
    x.expect("x", Element::F32, x.shape());
    let [.., filters] = *dy.shape().sizes() else { unreachable!("tensors have sizes") };
    let sizes = Sizes::new(x.shape(), filters, window);
    dy.expect("dy", Element::F32, sizes.output());
    sizes.expect_few_trips(gpu::weight_gradient_trips(&sizes));
    let dw = plan.scratch("conv2d.dw", sizes.weight());
    let parts = sizes.parts();
    let partials = (parts > 1).then(|| plan.scratch("conv2d.partials", [parts, dw.len()]));
    plan.record(WeightGradient { sizes, dy, x, partials, dw });
    dw
}

/// Number of filters of a weight.
#[track_caller]
fn filters(operand: &str, weight: Tensor) -> usize {
    let [filters, _, _, _] = *weight.shape().sizes() else {
        panic!("{operand} must be [filters, height, width, channels], but has shape {:?}", weight.shape());
    };
    filters
}

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    batch: usize,
    channels: usize,
    filters: usize,
    rows: Axis,
    columns: Axis,
}

/// Tiles that keep a GPU busy with the weight's gradient, and the threads of a CPU.
const ENOUGH_TILES: usize = 1 << 16;

/// Windows below which a part is not worth the adding up.
const LEAST_WINDOWS: usize = 256;

impl Sizes {
    /// Panics unless `x` is a map that the window fits.
    #[track_caller]
    fn new(x: Shape, filters: usize, window: Window) -> Self {
        let [batch, height, width, channels] = *x.sizes() else {
            panic!("x must be a map, but has shape {x:?}");
        };
        let Some([rows, columns]) = window.axes(height, width) else {
            panic!("{window:?} does not fit x, {x:?}");
        };
        Sizes { batch, channels, filters, rows, columns }
    }

    #[track_caller]
    fn expect_few_trips(&self, trips: u64) {
        assert!(trips <= MOST_TRIPS, "a convolution with {:?} filters is too large", self.weight());
    }

    fn input(&self) -> Shape {
        [self.batch, self.rows.input, self.columns.input, self.channels].into()
    }

    fn output(&self) -> Shape {
        [self.batch, self.rows.output, self.columns.output, self.filters].into()
    }

    fn weight(&self) -> Shape {
        [self.filters, self.rows.size, self.columns.size, self.channels].into()
    }

    /// Elements of a patch: what one window covers.
    fn patch(&self) -> usize {
        self.rows.size * self.columns.size * self.channels
    }

    /// Rows of windows, of all images.
    fn lines(&self) -> usize {
        self.batch * self.rows.output
    }

    /// Lines that a part of the weight's gradient sums: a rule that knows only sizes, so that no sum's order depends on
    /// the device.
    fn lines_of_part(&self) -> usize {
        let tiles = self.filters.div_ceil(4) * self.patch().div_ceil(4);
        let most = ((MOST_TRIPS as usize - 1) / (self.columns.output + 2)).max(1);
        let worthwhile = self.lines() * self.columns.output / LEAST_WINDOWS;
        let parts = (ENOUGH_TILES / tiles).min(worthwhile).clamp(1, self.lines());
        self.lines().div_ceil(parts).min(most)
    }

    fn parts(&self) -> usize {
        self.lines().div_ceil(self.lines_of_part())
    }
}

#[derive(Debug)]
struct Forward {
    sizes: Sizes,
    x: Tensor,
    weight: Tensor,
    bias: Option<Tensor>,
    relu: bool,
    y: Tensor,
}

#[derive(Debug)]
struct DataGradient {
    sizes: Sizes,
    dy: Tensor,
    weight: Tensor,
    mask: Option<Tensor>,
    dx: Tensor,
}

#[derive(Debug)]
struct WeightGradient {
    sizes: Sizes,
    dy: Tensor,
    x: Tensor,
    /// The parts' sums, `[parts, elements of dw]`, where there are several.
    partials: Option<Tensor>,
    dw: Tensor,
}

impl Op for Forward {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn operands(&self) -> Operands {
        let reads: Vec<Tensor> = [self.x, self.weight].into_iter().chain(self.bias).collect();
        Operands::new(&reads, &[self.y])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        cpu::forward(self, memory);
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        gpu::forward(self)
    }
}

impl Op for DataGradient {
    fn name(&self) -> &'static str {
        "conv2d_data_gradient"
    }

    fn operands(&self) -> Operands {
        let reads: Vec<Tensor> = [self.dy, self.weight].into_iter().chain(self.mask).collect();
        Operands::new(&reads, &[self.dx])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        cpu::data_gradient(self, memory);
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        gpu::data_gradient(self)
    }
}

impl Op for WeightGradient {
    fn name(&self) -> &'static str {
        "conv2d_weight_gradient"
    }

    fn operands(&self) -> Operands {
        let writes: Vec<Tensor> = [self.dw].into_iter().chain(self.partials).collect();
        Operands::new(&[self.dy, self.x], &writes)
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        cpu::weight_gradient(self, memory);
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        gpu::weight_gradient(self)
    }
}
