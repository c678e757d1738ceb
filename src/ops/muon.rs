//! Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"), as in its
//! author's CIFAR-10 speedruns (`airbench94_muon.py` of KellerJordan/cifar10-airbench). For a
//! weight `w`, a matrix of `outputs` rows:
//!
//! ```text
//! g = dw + decay w
//! v = momentum v + g                       (v starts as zeros)
//! x = v, or g + momentum v for Nesterov
//! x = x / (|x| + 1e-7)                     (|x| is the root of the sum of squares)
//! x = a x + (b s + c s s) x, s = x x^T     three times: see `orthogonalised`
//! w = w sqrt(outputs) / |w| - lr x
//! ```
//!
//! The polynomial moves all singular values of `x` near 1 in a few iterations, so that the update
//! has a similar size in every direction of the weight's inputs and outputs. Every step rescales
//! the weight to a fixed norm, so the learning rate acts as an angle.
//!
//! A step consists of several recorded ops: two from this file, with products and sums of matrices
//! between them.

use super::frame::op;
use super::l2_penalty::{chunk, partials, sum_of_squares};
use super::matmul::{self, Epilogue, Form};
use super::sgd::Momentum;
use super::{Rate, add, clip_norm};
use crate::kernel::iterations;
use crate::kernel::shaders::{self, MuonDirectParams, MuonFactorsParams, MuonFollowParams};
use crate::plan::{Operands, Plan};
use crate::tensor::{Element, Tensor};

const ITERATIONS: usize = 3;

/// The polynomial's coefficients a, b and c. Jordan chose them for a steep slope at 0 rather than
/// for convergence to exactly 1.
const COEFFICIENTS: [f32; 3] = [3.4445, -4.775, 2.0315];

/// Prevents a division by a norm of zero.
const EPSILON: f32 = 1e-7;

/// One weight with its optimizer state and settings.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// The weight: `[outputs, ...]`, read as a matrix of `outputs` rows.
    pub parameter: Tensor,
    /// Its learning rate.
    pub rate: Rate,
    /// Weight decay: this factor of the parameter is added to its gradient.
    pub decay: f32,
    /// The momentum and its velocity.
    pub momentum: Momentum,
}

/// Records the update of `update.parameter` with its gradient `dw`, of the same shape.
#[track_caller]
pub fn step(plan: &mut Plan, update: Update, dw: Tensor) {
    let Update { parameter, momentum, .. } = update;
    for (name, tensor) in [("parameter", parameter), ("velocity", momentum.velocity), ("dw", dw)] {
        tensor.expect(name, Element::F32, parameter.shape());
    }
    let outputs = parameter.shape().sizes()[0];
    let x = plan.scratch("muon.x", [outputs, parameter.len() / outputs]);
    let sums = plan.scratch("muon.sums", [2, partials(dw.len())]);
    let factors = plan.scratch("muon.factors", [2]);
    direct(plan, update, dw, x, sums, factors);
    let x = orthogonalised(plan, x);
    follow(plan, update, x, factors);
}

/// Records three iterations of the polynomial on the matrix `x`, whose singular values must be at
/// most 1, and returns the result. It has the same singular vectors, with singular values from
/// about 0.7 to 1.2, except for those that were very small.
///
/// The op multiplies by the smaller of `x x^T` and `x^T x`, which gives the same result.
#[track_caller]
pub fn orthogonalised(plan: &mut Plan, mut x: Tensor) -> Tensor {
    let [rows, columns] = x.matrix("x");
    let is_tall = rows > columns;
    let product = |plan: &mut Plan, form, a, b| matmul::product(plan, form, a, b, Epilogue::None);
    let [a, b, c] = COEFFICIENTS;
    for _ in 0..ITERATIONS {
        let square = product(plan, if is_tall { Form::Tn } else { Form::Nt }, x, x);
        let fourth = product(plan, Form::Nn, square, square);
        let sum = add::weighted(plan, [b, c], square, fourth);
        let higher = if is_tall { product(plan, Form::Nn, x, sum) } else { product(plan, Form::Nn, sum, x) };
        x = add::weighted(plan, [a, 1.0], x, higher);
    }
    x
}

/// Records the module's formula up to the division by the norm. `sums` are partial sums of squares
/// of `x`, followed by those of `w`; `factors` are those of `x` and `w`.
fn direct(plan: &mut Plan, update: Update, dw: Tensor, x: Tensor, sums: Tensor, factors: Tensor) {
    let Update { parameter, decay, momentum: Momentum { velocity, factor, nesterov }, .. } = update;
    let (length, chunk) = (dw.len(), chunk(dw.len()));
    let count = partials(length) as u32;
    let params = MuonDirectParams {
        length: length as u32,
        chunk: chunk as u32,
        decay,
        momentum: factor,
        nesterov: nesterov.into(),
    };
    let lanes = shaders::MUON_DIRECT.invocations() as usize;
    let bound = iterations(chunk / lanes, 0) + iterations(lanes.ilog2() as usize, 0);
    let tensors = [dw, parameter, velocity, x, sums];
    let direct = shaders::MUON_DIRECT.dispatch(params, &tensors, [count, 1, 1], bound);
    let norm = (parameter.shape().sizes()[0] as f32).sqrt();
    let params = MuonFactorsParams { count, norm, epsilon: EPSILON };
    let bound = iterations(count as usize, 0);
    let join = shaders::MUON_FACTORS.dispatch(params, &[sums, factors], [1, 1, 1], bound);
    let kernels = vec![direct, join, clip_norm::scale(x, factors)];
    let operands = Operands::new(&[dw, parameter], &[x, sums, factors]).updating([velocity]);
    plan.record(op("muon_direct", operands, kernels, move |memory, _| {
        let (dw, w) = (memory.f32(dw), memory.f32(parameter));
        let (mut x, mut v) = (memory.f32_mut(x), memory.f32_mut(velocity));
        for (((x, v), &dw), &w) in x.iter_mut().zip(v.iter_mut()).zip(&*dw).zip(&*w) {
            let g = dw + decay * w;
            *v = factor * *v + g;
            *x = if nesterov { g + factor * *v } else { *v };
        }
        let mut sums = memory.f32_mut(sums);
        let squares = [&*x, &*w].into_iter().flat_map(|values| values.chunks(chunk));
        for (sum, chunk) in sums.iter_mut().zip(squares) {
            *sum = sum_of_squares(chunk);
        }
        let (of_x, of_w) = sums.split_at(sums.len() / 2);
        let [norm_x, norm_w] = [of_x, of_w].map(|sums| sums.iter().sum::<f32>().sqrt());
        let of_both = [1.0 / (norm_x + EPSILON), norm / norm_w.max(EPSILON)];
        x.iter_mut().for_each(|x| *x *= of_both[0]);
        memory.f32_mut(factors).copy_from_slice(&of_both);
    }));
}

/// Records the last line of the module's formula.
fn follow(plan: &mut Plan, Update { parameter, rate, .. }: Update, x: Tensor, factors: Tensor) {
    let (factor, until) = rate.params();
    let params = MuonFollowParams { length: x.len() as u32, rate: factor, until };
    let kernel = shaders::MUON_FOLLOW.for_each(x.len(), params, &[x, factors, parameter], 0);
    let operands = Operands::new(&[x, factors], &[]).updating([parameter]);
    plan.record(op("muon_follow", operands, vec![kernel], move |memory, step| {
        let (rate, factor) = (rate.at(step), memory.f32(factors)[1]);
        for (w, &x) in memory.f32_mut(parameter).iter_mut().zip(&*memory.f32(x)) {
            *w = factor * *w - rate * x;
        }
    }));
}
