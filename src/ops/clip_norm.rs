//! Gradient clipping by global norm, with PyTorch's definition (`torch.nn.utils.clip_grad_norm_`):
//!
//! ```text
//! g    = dw + penalty w                            (the gradient of an L2 penalty is part of it)
//! norm = sqrt(sum over all gradients of g^2)
//! dw   = min(1, most / (norm + 1e-6)) g
//! ```
//!
//! The norm stays on the device. Squares are added in a fixed order: at most
//! [`PARTIALS`](super::l2_penalty::PARTIALS) partial sums per gradient, which one workgroup then
//! adds up.

use super::frame::op;
use super::l2_penalty::{chunk, partials, sum_of_squares};
use crate::kernel::shaders::{self, ClipNormFactorParams, ClipNormSquaresParams, LengthParams};
use crate::kernel::{Dispatch, iterations};
use crate::plan::{Operands, Plan};
use crate::tensor::{Element, Tensor};

/// Prevents a division by zero.
const EPSILON: f32 = 1e-6;

/// One of the gradients that are clipped together.
#[derive(Clone, Copy, Debug)]
pub struct Gradient {
    /// The gradient, which the op replaces with the clipped one.
    pub dw: Tensor,
    /// Its parameter, of the same shape.
    pub w: Tensor,
    /// Factor of the parameter that is added to the gradient first.
    pub penalty: f32,
}

/// Records the clipping of `gradients`, in place, to the global norm `most`.
pub fn clip(plan: &mut Plan, gradients: &[Gradient], most: f32) {
    for gradient in gradients {
        gradient.dw.expect("gradient", Element::F32, gradient.w.shape());
        gradient.w.expect("parameter", Element::F32, gradient.w.shape());
    }
    let count = gradients.iter().map(|gradient| partials(gradient.dw.len())).sum::<usize>();
    let sums = plan.scratch("clip_norm.sums", [count]);
    let factor = plan.scratch("clip_norm.factor", [1]);
    let mut operands = Operands::new(&[], &[sums, factor]);
    operands.reads.extend(gradients.iter().map(|gradient| gradient.w));
    operands.updates.extend(gradients.iter().map(|gradient| gradient.dw));
    let kernels = kernels(gradients, most, [sums, factor]);
    let gradients = gradients.to_vec();
    plan.record(op("clip_norm", operands, kernels, move |memory, _| {
        let (mut sums, mut factor) = (memory.f32_mut(sums), memory.f32_mut(factor));
        let mut next = sums.iter_mut();
        for &Gradient { dw, w, penalty } in &gradients {
            let mut dw = memory.f32_mut(dw);
            for (dw, w) in dw.iter_mut().zip(memory.f32(w).iter()) {
                *dw += penalty * w;
            }
            for (values, sum) in dw.chunks(chunk(dw.len())).zip(next.by_ref()) {
                *sum = sum_of_squares(values);
            }
        }
        factor[0] = (most / (sums.iter().sum::<f32>().sqrt() + EPSILON)).min(1.0);
        for gradient in &gradients {
            for value in memory.f32_mut(gradient.dw).iter_mut() {
                *value *= factor[0];
            }
        }
    }));
}

/// The GPU half. `sums` are partial sums of squares of all gradients, one gradient after the other,
/// and all gradients are multiplied by `factor`.
fn kernels(gradients: &[Gradient], most: f32, [sums, factor]: [Tensor; 2]) -> Vec<Dispatch> {
    let mut dispatches = Vec::new();
    let mut first = 0;
    for &Gradient { dw, w, penalty } in gradients {
        let (length, chunk) = (dw.len(), chunk(dw.len()));
        let kernel = &shaders::CLIP_NORM_SQUARES;
        let params = ClipNormSquaresParams {
            length: length as u32,
            chunk: chunk as u32,
            first: first as u32,
            penalty,
        };
        let lanes = kernel.invocations() as usize;
        let iterations = iterations(chunk / lanes, 0) + iterations(lanes.ilog2() as usize, 0);
        let grid = [partials(length) as u32, 1, 1];
        dispatches.push(kernel.dispatch(params, &[w, dw, sums], grid, iterations));
        first += partials(length);
    }
    let kernel = &shaders::CLIP_NORM_FACTOR;
    let params = ClipNormFactorParams { count: first as u32, most, epsilon: EPSILON };
    let lanes = kernel.invocations() as usize;
    let bound = iterations(first.div_ceil(lanes), 0) + iterations(lanes.ilog2() as usize, 0);
    dispatches.push(kernel.dispatch(params, &[sums, factor], [1, 1, 1], bound));
    dispatches.extend(gradients.iter().map(|gradient| scale(gradient.dw, factor)));
    dispatches
}

/// On a GPU: multiplies `values` by the first element of `factor`.
pub(super) fn scale(values: Tensor, factor: Tensor) -> Dispatch {
    let params = LengthParams { length: values.len() as u32 };
    shaders::CLIP_NORM_SCALE.for_each(values.len(), params, &[factor, values], 0)
}
