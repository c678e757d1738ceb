//! Activations: `y = f(x)`, element by element, and their gradients `dx = f'(x) dy`.
//!
//! All tensors have one shape. One frame of shaders serves every function: its file in `shaders/`
//! has the function and its derivative. NaN passes through, so that a diverged run is seen at the
//! loss.
//!
//! The table in `functions.rs` is the list that models, help, the selftest and the tests read. A
//! new activation is a variant of [`Activation`] with a row of the table, its three formulas below
//! it, and a shader. [ReLU](super::relu) is in the table but has an op of its own, since other ops
//! apply it on the way.

mod functions;

use rayon::prelude::*;

pub use self::functions::{Activation, Argument};
use self::functions::{Params, WORKGROUP};
use super::relu;
use crate::kernel::{Dispatch, GpuFacts, Kernel, fold};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::Tensor;

/// Records `y = f(x)` and returns `y`.
///
/// # Panics
/// If `x` does not hold floats.
#[track_caller]
pub fn forward(plan: &mut Plan, activation: Activation, x: Tensor) -> Tensor {
    if activation == Activation::Relu {
        return relu::forward(plan, x);
    }
    x.expect_floats("x", x.shape());
    let y = plan.scratch_of(x.element(), "activation.y", x.shape());
    plan.record(Forward { activation, x, y });
    y
}

/// Records `dx = f'(x) dy` and returns `dx`; `x` is the forward pass's input.
///
/// # Panics
/// If `x` does not hold floats, or `dy` is not like `x`.
#[track_caller]
pub fn backward(plan: &mut Plan, activation: Activation, x: Tensor, dy: Tensor) -> Tensor {
    if activation == Activation::Relu {
        // The output is positive where the input is.
        return relu::backward(plan, x, dy);
    }
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

/// The dispatch of one of the activation's kernels.
fn dispatch(activation: Activation, kernel: &'static Kernel, tensors: &[Tensor]) -> Vec<Dispatch> {
    let length = tensors[0].len();
    let argument = activation.argument_value().unwrap_or_default();
    let params = Params { length: length as u32, argument };
    vec![Dispatch::new(kernel, params, tensors, fold(length, WORKGROUP), 0)]
}

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    Activation::all_kernels().flat_map(Kernel::in_each).collect()
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
        let [forward, _] = self.activation.kernels();
        dispatch(self.activation, forward, &[self.x, self.y])
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
                *dx = self.activation.derivative(x) * dy;
            }
        });
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let [_, backward] = self.activation.kernels();
        dispatch(self.activation, backward, &[self.x, self.dy, self.dx])
    }
}
