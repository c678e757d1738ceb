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

use super::l2_penalty::{chunk, partials, sum_of_squares};
use super::matmul::{self, Epilogue, Form};
use super::sgd::Momentum;
use super::{Rate, add, clip_norm};
use crate::kernel::shaders::{self, MuonDirectParams, MuonFactorsParams, MuonFollowParams};
use crate::kernel::{Dispatch, GpuFacts, iterations};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// Number of iterations of the polynomial.
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
///
/// # Panics
/// If the shapes do not match.
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
    plan.record(Direct { update, dw, x, sums, factors });
    let x = orthogonalised(plan, x);
    plan.record(Follow { update, x, factors });
}

/// Records three iterations of the polynomial on the matrix `x`, whose singular values must be at
/// most 1, and returns the result. It has the same singular vectors, with singular values from
/// about 0.7 to 1.2, except for those that were very small.
///
/// The op multiplies by the smaller of `x x^T` and `x^T x`, which gives the same result.
///
/// # Panics
/// If `x` is not a matrix.
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

/// The module's formula up to the division by the norm. `factors` are those of `x` and `w`.
#[derive(Debug)]
struct Direct {
    update: Update,
    dw: Tensor,
    x: Tensor,
    /// Partial sums of squares of `x`, followed by those of `w`.
    sums: Tensor,
    factors: Tensor,
}

/// The last line of the module's formula.
#[derive(Debug)]
struct Follow {
    update: Update,
    x: Tensor,
    factors: Tensor,
}

impl Op for Direct {
    fn name(&self) -> &'static str {
        "muon_direct"
    }

    fn operands(&self) -> Operands {
        let Update { parameter, momentum, .. } = self.update;
        Operands::new(&[self.dw, parameter], &[self.x, self.sums, self.factors]).updating([momentum.velocity])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let Update { parameter, decay, momentum: Momentum { velocity, factor, nesterov }, .. } = self.update;
        let (dw, w) = (memory.f32(self.dw), memory.f32(parameter));
        let (mut x, mut v) = (memory.f32_mut(self.x), memory.f32_mut(velocity));
        for (((x, v), &dw), &w) in x.iter_mut().zip(v.iter_mut()).zip(&*dw).zip(&*w) {
            let g = dw + decay * w;
            *v = factor * *v + g;
            *x = if nesterov { g + factor * *v } else { *v };
        }
        let mut sums = memory.f32_mut(self.sums);
        let squares = [&*x, &*w].into_iter().flat_map(|values| values.chunks(chunk(values.len())));
        for (sum, chunk) in sums.iter_mut().zip(squares) {
            *sum = sum_of_squares(chunk);
        }
        let (of_x, of_w) = sums.split_at(sums.len() / 2);
        let [norm_x, norm_w] = [of_x, of_w].map(|sums| sums.iter().sum::<f32>().sqrt());
        let outputs = parameter.shape().sizes()[0] as f32;
        let factors = [1.0 / (norm_x + EPSILON), outputs.sqrt() / norm_w.max(EPSILON)];
        x.iter_mut().for_each(|x| *x *= factors[0]);
        memory.f32_mut(self.factors).copy_from_slice(&factors);
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let &Direct { update, dw, x, sums, factors } = self;
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
        vec![direct, join, clip_norm::scale(x, factors)]
    }
}

impl Op for Follow {
    fn name(&self) -> &'static str {
        "muon_follow"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x, self.factors], &[]).updating([self.update.parameter])
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let rate = self.update.rate.at(step);
        let factor = memory.f32(self.factors)[1];
        let mut w = memory.f32_mut(self.update.parameter);
        for (w, &x) in w.iter_mut().zip(&*memory.f32(self.x)) {
            *w = factor * *w - rate * x;
        }
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let length = self.x.len();
        let (rate, until) = self.update.rate.params();
        let params = MuonFollowParams { length: length as u32, rate, until };
        let tensors = [self.x, self.factors, self.update.parameter];
        vec![shaders::MUON_FOLLOW.for_each(length, params, &tensors, 0)]
    }
}
