//! ReLU: `y = max(x, 0)`, and its gradient `dx = dy where y > 0, else 0`.
//!
//! All tensors have one shape. NaN passes through, so that divergence becomes visible in the loss.
//! After a matmul, the same functions run in that kernel's epilogue (see
//! [`matmul`](super::matmul)); this file is for a ReLU after any other op.

use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, LengthParams};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// `y = max(x, 0)`, NaN kept.
#[inline(always)]
pub(super) fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

/// Records `y = max(x, 0)` and returns `y`.
pub fn forward(plan: &mut Plan, x: Tensor) -> Tensor {
    x.expect_floats("x", x.shape());
    let y = plan.scratch_of(x.element(), "relu.y", x.shape());
    let params = LengthParams { length: x.len() as u32 };
    Elementwise { name: "relu", kernel: &shaders::RELU, params, reads: [x], outputs: [y] }.record(
        plan,
        |_, [x], [y]| {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = relu(x);
            }
        },
    );
    y
}

/// Records `dx = dy where y > 0` and returns `dx`; `y` is the forward pass's output.
pub fn backward(plan: &mut Plan, y: Tensor, dy: Tensor) -> Tensor {
    y.expect_floats("y", y.shape());
    dy.expect("dy", y.element(), y.shape());
    let dx = plan.scratch_of(y.element(), "relu.dx", y.shape());
    let kernel = &shaders::RELU_BACKWARD;
    let params = LengthParams { length: y.len() as u32 };
    Elementwise { name: "relu_backward", kernel, params, reads: [y, dy], outputs: [dx] }.record(
        plan,
        |_, [y, dy], [dx]| {
            for ((dx, &y), &dy) in dx.iter_mut().zip(y).zip(dy) {
                *dx = if y > 0.0 { dy } else { 0.0 };
            }
        },
    );
    dx
}
