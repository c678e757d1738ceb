//! ReLU: `y = max(x, 0)`, and its gradient `dx = dy where y > 0, else 0`.
//!
//! All tensors have one shape. NaN passes through, so that a diverged run is seen at the loss.
//! After a matmul the same functions run as that kernel's epilogue (see
//! [`matmul`](super::matmul)); this file is for a ReLU that follows something else.

use std::borrow::Cow;

use crate::kernel::{Dispatch, GpuFacts, Kernel, Uniform, fold, read, shader, uniform, write};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
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
    plan.record(Forward { x, y });
    y
}

/// Records `dx = dy where y > 0` and returns `dx`; `y` is the forward pass's output.
pub fn backward(plan: &mut Plan, y: Tensor, dy: Tensor) -> Tensor {
    y.expect_floats("y", y.shape());
    dy.expect("dy", y.element(), y.shape());
    let dx = plan.scratch_of(y.element(), "relu.dx", y.shape());
    plan.record(Backward { y, dy, dx });
    dx
}

#[derive(Debug)]
struct Forward {
    x: Tensor,
    y: Tensor,
}

#[derive(Debug)]
struct Backward {
    y: Tensor,
    dy: Tensor,
    dx: Tensor,
}

uniform! {
    struct Params {
        /// Number of elements.
        length: u32,
    }
}

const WORKGROUP: u32 = 256;

static FORWARD: Kernel = Kernel {
    name: Cow::Borrowed("relu"),
    source: shader!("stored_f32.wgsl", "relu.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("x"), write("y")]),
    reads_step: false,
    subgroups: false,
};

static BACKWARD: Kernel = Kernel {
    name: Cow::Borrowed("relu_backward"),
    source: shader!("stored_f32.wgsl", "relu_backward.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("y"), read("dy"), write("dx")]),
    reads_step: false,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    [&FORWARD, &BACKWARD].into_iter().flat_map(Kernel::in_each).collect()
}

fn dispatch(kernel: &'static Kernel, tensors: &[Tensor]) -> Vec<Dispatch> {
    let length = tensors[0].len();
    let params = Params { length: length as u32 };
    vec![Dispatch::new(kernel, params, tensors, fold(length, WORKGROUP), 0)]
}

impl Op for Forward {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x], &[self.y])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let x = memory.f32(self.x);
        let mut y = memory.f32_mut(self.y);
        for (y, &x) in y.iter_mut().zip(&*x) {
            *y = relu(x);
        }
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        dispatch(&FORWARD, &[self.x, self.y])
    }
}

impl Op for Backward {
    fn name(&self) -> &'static str {
        "relu_backward"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.y, self.dy], &[self.dx])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let (y, dy) = (memory.f32(self.y), memory.f32(self.dy));
        let mut dx = memory.f32_mut(self.dx);
        for ((dx, &y), &dy) in dx.iter_mut().zip(&*y).zip(&*dy) {
            *dx = if y > 0.0 { dy } else { 0.0 };
        }
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        dispatch(&BACKWARD, &[self.y, self.dy, self.dx])
    }
}
