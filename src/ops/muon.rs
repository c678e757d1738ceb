//! Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"), as its
//! author's speedruns of CIFAR-10 have it (`airbench94_muon.py` of KellerJordan/cifar10-airbench).
//! Of a weight `w`, a matrix of `outputs` rows:
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
//! The polynomial brings all singular values of `x` near 1 in few steps, so that the weight moves
//! as far in every direction of its inputs and outputs. The weight's norm is set anew in every
//! step: a learning rate is an angle.
//!
//! A step is several recorded ops: two of this file's, and products and sums of matrices between
//! them.

use super::l2_penalty::{chunk, partials, sum_of_squares};
use super::matmul::{self, Epilogue, Form};
use super::sgd::Momentum;
use super::{Rate, add, clip_norm};
use crate::kernel::shaders::{self, MuonDirectParams, MuonFactorsParams, MuonFollowParams};
use crate::kernel::{Dispatch, GpuFacts, iterations};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// How often the polynomial is applied.
const ITERATIONS: usize = 3;

/// Its coefficients a, b and c: chosen by Jordan for a steep slope at 0, rather than for values of
/// exactly 1.
const COEFFICIENTS: [f32; 3] = [3.4445, -4.775, 2.0315];

/// What keeps a norm from being divided by as zero.
const EPSILON: f32 = 1e-7;

/// How one weight follows its gradient.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// What is trained: `[outputs, ...]`, a matrix of `outputs` rows.
    pub parameter: Tensor,
    /// Its learning rate.
    pub rate: Rate,
    /// Factor of the parameter that is added to its gradient.
    pub decay: f32,
    /// The running mean of gradients.
    pub momentum: Momentum,
}

/// Records the update of `update.parameter` by its gradient `dw`, of the same shape.
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

/// Records what the polynomial, applied three times, makes of `x`, a matrix none of whose singular
/// values is above 1, and returns it: a matrix with the same singular vectors and values from about
/// 0.7 to 1.2, but for those that were very small.
///
/// Products with the smaller of `x x^T` and `x^T x` give the same.
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

/// The first lines of the module's formula, up to the division; `factors` are those of `x` and `w`.
#[derive(Debug)]
struct Direct {
    update: Update,
    dw: Tensor,
    x: Tensor,
    /// Partial sums of squares of `x`, and behind them of `w`.
    sums: Tensor,
    factors: Tensor,
}

/// The last line.
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
