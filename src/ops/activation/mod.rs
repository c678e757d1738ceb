//! Activations: `y = f(x)`, element by element, and their gradients `dx = f'(x) dy`.
//!
//! All tensors have one shape. All activations share one frame of shaders: the file of an
//! activation in `shaders/` has the function and its derivative. NaN passes through, so that
//! divergence becomes visible in the loss.
//!
//! The table in `functions.rs` is the one list that models, help, selftest and tests read. To add
//! an activation, add a variant of [`Activation`], a row of the table, its three formulas below the
//! table, and a shader. [ReLU](super::relu) is in the table but is a separate op, since other ops
//! apply it in their epilogues.
//!
//! ```
//! use shadegrad::ops::activation::{self, Activation};
//! use shadegrad::plan::{Plan, Role};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let x = plan.declare("x", Role::Input, Element::F32, [2, 3]);
//! plan.begin("example");
//! let y = activation::forward(&mut plan, Activation::Silu, x);
//! assert_eq!(y.shape(), x.shape());
//! ```

mod functions;

pub use self::functions::{Activation, Argument};
use super::elementwise::Elementwise;
use super::relu;
use crate::kernel::shaders::ActivationParams;
use crate::plan::Plan;
use crate::tensor::Tensor;

/// Records `y = f(x)` and returns `y`.
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
