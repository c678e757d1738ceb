//! Addition: `y = a + b`, element by element: what a residual block ends in. With factors, `y = alpha a + beta b`, it is
//! what [`muon`](super::muon) makes polynomials of.
//!
//! All tensors have one shape. The gradient of both `a` and `b` is `dy` itself, so there is no backward
//! pass; where one tensor goes two ways, its gradient is the sum of theirs, which is this op again.

use std::borrow::Cow;

use crate::kernel::{Dispatch, GpuFacts, Kernel, Uniform, fold, read, shader, uniform, write};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
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
    plan.record(Add { factors, a, b, y });
    y
}

#[derive(Debug)]
struct Add {
    factors: [f32; 2],
    a: Tensor,
    b: Tensor,
    y: Tensor,
}

uniform! {
    struct Params {
        /// Number of elements.
        length: u32,
        alpha: f32,
        beta: f32,
    }
}

const WORKGROUP: u32 = 256;

static KERNEL: Kernel = Kernel {
    name: Cow::Borrowed("add"),
    source: shader!("stored_f32.wgsl", "add.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("a"), read("b"), write("y")]),
    reads_step: false,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    KERNEL.in_each()
}

impl Op for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.a, self.b], &[self.y])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let (a, b) = (memory.f32(self.a), memory.f32(self.b));
        let [alpha, beta] = self.factors;
        let mut y = memory.f32_mut(self.y);
        for ((y, &a), &b) in y.iter_mut().zip(&*a).zip(&*b) {
            *y = alpha * a + beta * b;
        }
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let length = self.y.len();
        let [alpha, beta] = self.factors;
        let params = Params { length: length as u32, alpha, beta };
        vec![Dispatch::new(&KERNEL, params, &[self.a, self.b, self.y], fold(length, WORKGROUP), 0)]
    }
}
