//! The last layer of a classifier with its loss, for a small number of classes: logits, loss,
//! correct count and gradients in one dispatch.
//!
//! ```text
//! logits = x w^T + bias
//! dlogits, loss, correct: as in softmax_cross_entropy
//! dx = dlogits w, zero where x is the output of a ReLU and zero
//! ```
//!
//! If x is f16, so is dx, with a [scale](crate::plan::StepRecord::gradient_scale). All other
//! tensors, including the weight, are f32.
//!
//! With about ten classes, each of the three computations takes a GPU less time than starting a
//! kernel does. So one workgroup does all three for some rows of the batch. The CPU has no such
//! cost and runs the three ops one after the other, so its results are theirs, bit for bit.

use super::frame::op;
use super::matmul::{Epilogue, Form, Matmul};
use super::softmax_cross_entropy::{self, Loss, ROWS_PER_PARTIAL, Target};
use crate::kernel::iterations;
use crate::kernel::shaders::{self, ClassifierParams};
use crate::plan::{Op, Operands, Plan};
use crate::tensor::{Element, Tensor};

/// Most classes: workgroup memory holds their values for a workgroup's rows.
const MOST_CLASSES: usize = 64;

/// Most inputs: one workgroup reads all of them.
const MOST_INPUTS: usize = 4096;

/// Classes whose logits an invocation computes at a time.
const BLOCK: usize = 10;

/// Invocations that share the inputs of four rows.
const PARTS: usize = 4;

/// Vectors of a row of dx that an invocation and its neighbours compute at a time.
const VECTORS_OF_DX: usize = 16;

/// Whether the gradient of the input is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputGradient {
    /// It is not needed.
    None,
    /// `dx = dlogits w`
    Plain,
    /// The same, but zero where x is not positive.
    Masked,
}

/// The outputs of the op.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// `[batch, classes]`
    pub logits: Tensor,
    /// The gradient of the logits, and the loss metrics.
    pub loss: Loss,
    /// `[batch, inputs]`, if it is computed.
    pub dx: Option<Tensor>,
}

/// Whether the op can be used for `x`, `[batch, inputs]`, and `weight`, `[classes, inputs]`.
pub fn fits(x: Tensor, weight: Tensor) -> bool {
    let ([_, inputs], [classes, _]) = (x.matrix("x"), weight.matrix("weight"));
    let whole_vectors = inputs.is_multiple_of(4);
    x.element().is_float() && classes <= MOST_CLASSES && inputs <= MOST_INPUTS && whole_vectors
}

/// Records the op for `x`, `[batch, inputs]`, and a layer's weight, `[classes, inputs]`, and bias,
/// `[classes]`.
///
/// # Panics
/// If they do not [fit](fits), or if the shapes do not match.
#[track_caller]
pub fn forward(
    plan: &mut Plan,
    x: Tensor,
    [weight, bias]: [Tensor; 2],
    target: Target,
    gradient: InputGradient,
) -> Output {
    let ([batch, inputs], [classes, _]) = (x.matrix("x"), weight.matrix("weight"));
    assert!(fits(x, weight), "a classifier of {classes} classes and {inputs} inputs does not fit one op");
    weight.expect("weight", Element::F32, [classes, inputs]);
    bias.expect("bias", Element::F32, [classes]);
    target.labels.expect("labels", Element::U32, [batch]);
    let logits = plan.scratch("logits", [batch, classes]);
    let loss = Loss::declare(plan, logits, target.slots);
    let dx = (gradient != InputGradient::None).then(|| plan.scratch_of(x.element(), "dx", [batch, inputs]));
    let output = Output { logits, loss, dx };

    let product = Matmul::new(plan, Form::Nt, x, weight, logits, Epilogue::Bias { bias, relu: false });
    // The CPU runs the same computation as separate ops.
    let mut parts: Vec<Box<dyn Op>> =
        vec![Box::new(product), Box::new(softmax_cross_entropy::recorded(logits, target, loss))];
    if let Some(dx) = dx {
        let epilogue = if gradient == InputGradient::Masked { Epilogue::Mask(x) } else { Epilogue::None };
        parts.push(Box::new(Matmul::new(plan, Form::Nn, loss.dlogits, weight, dx, epilogue)));
    }
    let params = ClassifierParams {
        batch: batch as u32,
        classes: classes as u32,
        quads: (inputs / 4) as u32,
        smoothing: target.smoothing,
        partials: batch.div_ceil(ROWS_PER_PARTIAL) as u32,
        masked: (gradient == InputGradient::Masked).into(),
    };
    let kernel = if dx.is_some() { &shaders::CLASSIFIER_DX } else { &shaders::CLASSIFIER };
    let mut operands =
        Operands::new(&[x, weight, bias, target.labels], &[logits, loss.dlogits, loss.metrics]);
    operands.writes.extend(dx);
    let tensors = [&operands.reads[..], &operands.writes].concat();
    let kernel = kernel.for_each(batch, params, &tensors, iterations_of_rows(classes, inputs / 4));
    plan.record(op("classifier", operands, vec![kernel], move |memory, step| {
        parts.iter().for_each(|part| part.run_on_cpu(memory, step));
    }));
    output
}

/// Loop iterations of an invocation.
fn iterations_of_rows(classes: usize, quads: usize) -> u64 {
    // A group of four rows has BLOCK sums, of which a quarter of the invocations computes as many.
    let of_block = iterations(quads.div_ceil(PARTS), 0) + iterations(BLOCK.div_ceil(4), 0);
    iterations(classes.div_ceil(BLOCK), of_block)
        + 3 * iterations(classes, 0)
        + iterations(ROWS_PER_PARTIAL, 0)
        + iterations(quads.div_ceil(VECTORS_OF_DX), iterations(classes, 0))
}
