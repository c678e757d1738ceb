//! Addition: `y = a + b`, element by element: what a residual block ends in. With factors, `y =
//! alpha a + beta b`, it is what [`muon`](super::muon) makes polynomials of.
//!
//! All tensors have one shape. The gradient of both `a` and `b` is `dy` itself, so there is no
//! backward pass; where one tensor goes two ways, its gradient is the sum of theirs, which is this
//! op again.

use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, AddParams};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// Records `y = a + b` and returns `y`.
#[track_caller]
pub fn forward(plan: &mut Plan, a: Tensor, b: Tensor) -> Tensor {
    weighted(plan, [1.0, 1.0], a, b)
}

/// Records `y = alpha a + beta b` for `factors` alpha and beta, and returns `y`.
#[track_caller]
pub fn weighted(plan: &mut Plan, factors: [f32; 2], a: Tensor, b: Tensor) -> Tensor {
    a.expect_floats("a", a.shape());
    b.expect("b", a.element(), a.shape());
    let y = plan.scratch_of(a.element(), "add.y", a.shape());
    let [alpha, beta] = factors;
    let params = AddParams { length: y.len() as u32, alpha, beta };
    Elementwise { name: "add", kernel: &shaders::ADD, params, reads: [a, b], outputs: [y] }.record(
        plan,
        move |_, [a, b], [y]| {
            for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
                *y = alpha * a + beta * b;
            }
        },
    );
    y
}
