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

pub use self::functions::{Activation, Argument};
use super::elementwise::Elementwise;
use super::relu;
use crate::kernel::shaders::ActivationParams;
use crate::plan::Plan;
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
    let ([kernel, _], params) = (activation.kernels(), params(activation, x));
    Elementwise { name: "activation", kernel, params, reads: [x], outputs: [y] }.record(
        plan,
        move |_, [x], [y]| {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = activation.value(x);
            }
        },
    );
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
    let ([_, kernel], params) = (activation.kernels(), params(activation, x));
    Elementwise { name: "activation_backward", kernel, params, reads: [x, dy], outputs: [dx] }.record(
        plan,
        move |_, [x, dy], [dx]| {
            for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
                *dx = activation.derivative(x) * dy;
            }
        },
    );
    dx
}

fn params(activation: Activation, x: Tensor) -> ActivationParams {
    ActivationParams { length: x.len() as u32, argument: activation.argument_value().unwrap_or_default() }
}
