//! A block of SGD steps with batch size 1, for two linear layers with a ReLU between them.
//!
//! Training with batch size 1 reads and writes the first weight in every step, although each step
//! adds only a multiple of one image to it. Within a block, that weight is
//!
//! ```text
//! w_t = c_t (w_0 - sum over s < t of u_s x_s^T)
//! c_t = (1 - lr decay)^t,  u_s = lr dz_s / c_(s+1)
//! z_t = w_t x_t + b = c_t (w_0 x_t - sum over s < t of u_s (x_s . x_t)) + b
//! ```
//!
//! so the whole block needs only one product `x w_0^T`, one product `x x^T`, and one product
//! `u^T x` that changes the first weight at the end: three matmuls instead of one pass over memory
//! per step, with the same result except for rounding. This op does the rest, step by step: the
//! hidden layer from those products, the second layer, the loss, and the updates of all small
//! tensors. (Delaying rank-one updates until they fill a matrix product is the idea behind blocked
//! factorisations in LAPACK.)
//!
//! ```text
//! products      [block, hidden]   x w_0^T
//! overlaps      [block, block]    x x^T
//! labels        [block]
//! bias          [hidden]          of the first layer: updated
//! weight2       [classes, hidden] updated
//! bias2         [classes]         updated
//! change        [block, hidden]   written: rows c_rows u_s, so that w = c_rows w - change^T x
//! ```
//!
//! The last line is [`matmul::change`](super::matmul::change).
//!
//! The L2 penalty of every step is computed without summing a weight's squares in every step: with
//! `w' = c w - lr dz x^T`,
//!
//! ```text
//! |w'|^2 = c^2 |w|^2 - 2 c lr dz . (w x) + lr^2 |dz|^2 |x|^2
//! ```
//!
//! and the step computes `w x` anyway. Within a block the penalty is `kept |w_0|^2 + added`; the
//! two numbers do not depend on `|w_0|^2`.

use super::frame::op;
use super::softmax_cross_entropy;
use crate::kernel::shaders::{self, OnlineStepsParams};
use crate::kernel::{MOST_ITERATIONS, iterations};
use crate::ops::relu::relu;
use crate::plan::{Operands, Plan, Role};
use crate::tensor::{Element, Tensor};

/// Steps in a block. A larger block needs more work for the overlaps, a smaller one more passes
/// over the first weight.
pub const BLOCK: usize = 32;

/// Most classes that fit workgroup memory.
const MOST_CLASSES: usize = 64;

/// Most hidden values that fit the lanes' registers.
const MOST_HIDDEN: usize = 1024;

/// Whether a block of these sizes can be recorded. One workgroup runs the whole block, so its
/// memory and its loop iterations are the limits.
pub fn fits(block: usize, hidden: usize, classes: usize) -> bool {
    obstacle(block, hidden, classes).is_none()
}

/// Why a block of these sizes cannot be recorded, if it cannot.
fn obstacle(block: usize, hidden: usize, classes: usize) -> Option<String> {
    if hidden > MOST_HIDDEN {
        return Some(format!("{hidden} hidden values, the limit is {MOST_HIDDEN}"));
    }
    if classes > MOST_CLASSES {
        return Some(format!("{classes} classes, the limit is {MOST_CLASSES}"));
    }
    let iterations = iterations_of_block(block, hidden, classes);
    (iterations > MOST_ITERATIONS).then(|| {
        format!(
            "{block} steps, {hidden} hidden values and {classes} classes: \
             {iterations} iterations of the kernel's loops, the limit is {MOST_ITERATIONS}"
        )
    })
}

/// Loop iterations of the kernel, in the order of the loops in its text.
fn iterations_of_block(block: usize, hidden: usize, classes: usize) -> u64 {
    let lanes = LANES as usize;
    let own_hidden = hidden.div_ceil(lanes);
    let own_classes = classes.div_ceil(lanes);
    let all_classes = iterations(classes, 0);
    let step = |earlier_steps| {
        let logits = all_classes + iterations(own_hidden, iterations(earlier_steps, 0) + all_classes);
        let loss =
            iterations(own_classes, iterations(lanes, 0)) + 2 * all_classes + iterations(own_classes, 0);
        let updates = iterations(own_hidden, all_classes) + iterations(own_classes, 0) + iterations(lanes, 0);
        logits + loss + updates
    };
    iterations(block, 0) + (0..block).map(step).sum::<u64>() + iterations(own_hidden, iterations(block, 0))
}

/// The trained tensors that the op updates, and their weight decays.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Bias of the first layer, `[hidden]`.
    pub bias: Tensor,
    /// Weight of the second layer, `[classes, hidden]`.
    pub weight2: Tensor,
    /// Bias of the second layer, `[classes]`.
    pub bias2: Tensor,
    /// Decay of both weights: weight decay plus L2 penalty.
    pub weight_decay: f32,
    /// Decay of both biases.
    pub bias_decay: f32,
}

/// The outputs of the op.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// `[block, hidden]`; rows without a step are zeros.
    pub change: Tensor,
    /// `[slots, 4]`: sums over the block's steps of losses, correct counts, `kept`, and `added`
    /// plus the squares of the second weight.
    pub metrics: Tensor,
}

/// Records the steps; see the module's documentation for the shapes.
///
/// # Panics
/// If the shapes do not match, or if the sizes do not [fit](fits).
#[track_caller]
pub fn forward(
    plan: &mut Plan,
    products: Tensor,
    overlaps: Tensor,
    labels: Tensor,
    head: Head,
    slots: usize,
) -> Output {
    let [block, hidden] = products.matrix("products");
    let [classes, _] = head.weight2.matrix("weight2");
    overlaps.expect("overlaps", Element::F32, [block, block]);
    labels.expect("labels", Element::U32, [block]);
    head.bias.expect("bias", Element::F32, [hidden]);
    head.weight2.expect("weight2", Element::F32, [classes, hidden]);
    head.bias2.expect("bias2", Element::F32, [classes]);
    if let Some(obstacle) = obstacle(block, hidden, classes) {
        panic!("a block of single-image steps with {obstacle}");
    }
    let output = Output {
        change: plan.scratch("change", [block, hidden]),
        metrics: plan.declare("metrics", Role::Metric, Element::F32, [slots, 4]),
    };
    let Head { bias, weight2, bias2, weight_decay, bias_decay } = head;
    let Output { change, metrics } = output;
    let params = OnlineStepsParams {
        block: block as u32,
        hidden: hidden as u32,
        classes: classes as u32,
        weight_decay,
        bias_decay,
    };
    let tensors = [products, overlaps, labels, bias, weight2, bias2, change, metrics];
    let iterations = iterations_of_block(block, hidden, classes);
    let kernel = shaders::ONLINE_STEPS.dispatch(params, &tensors, [1, 1, 1], iterations);
    let operands = Operands::new(&[products, overlaps, labels], &[change, metrics]);
    let operands = operands.updating([bias, weight2, bias2]);
    plan.record(op("online_steps", operands, vec![kernel], move |memory, step| {
        let mut block = Block {
            products: &memory.f32(products),
            overlaps: &memory.f32(overlaps),
            labels: &memory.u32(labels),
            bias: &mut memory.f32_mut(bias),
            weight2: &mut memory.f32_mut(weight2),
            bias2: &mut memory.f32_mut(bias2),
            change: &mut memory.f32_mut(change),
            hidden,
        };
        let (rows, rate) = (step.rows as usize, step.learning_rate);
        let sums = pulp::Arch::new().dispatch(|| block.run(rows, rate, &head));
        memory.f32_mut(metrics)[4 * step.slot as usize..][..4].copy_from_slice(&sums);
    }));
    output
}

/// One warp, or half a wave: the steps depend on one another, so the latency of one step counts.
const LANES: u32 = shaders::ONLINE_STEPS.invocations();

/// `sum of a_i b_i` in sixteen lanes, in a fixed order.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_chunks, b_chunks) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(&a, &b)| a * b).sum();
    let mut sums = [0.0f32; 16];
    for (a, b) in a_chunks.zip(b_chunks) {
        for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// The arrays of one block on the CPU.
struct Block<'a> {
    products: &'a [f32],
    overlaps: &'a [f32],
    labels: &'a [u32],
    bias: &'a mut [f32],
    weight2: &'a mut [f32],
    bias2: &'a mut [f32],
    change: &'a mut [f32],
    hidden: usize,
}

impl Block<'_> {
    /// Runs all steps. Returns the sums of their losses, correct counts, `kept`, and `added` plus
    /// the squares of the second weight.
    #[inline(always)]
    fn run(&mut self, rows: usize, rate: f32, head: &Head) -> [f32; 4] {
        let (hidden, block) = (self.hidden, self.labels.len());
        let classes = self.bias2.len();
        let (mut h, mut dh, mut wx) = ([0.0; MOST_HIDDEN], [0.0; MOST_HIDDEN], [0.0; MOST_HIDDEN]);
        let (h, dh, wx) = (&mut h[..hidden], &mut dh[..hidden], &mut wx[..hidden]);
        let (mut logits, mut dlogits) = ([0.0; MOST_CLASSES], [0.0; MOST_CLASSES]);
        let (logits, dlogits) = (&mut logits[..classes], &mut dlogits[..classes]);
        let mut sums = [0.0; 4];
        let (mut kept, mut added) = (1.0, 0.0);
        // 1 - c_t, which is more precise than c_t, a number close to 1.
        let mut decayed = 0.0;
        for t in 0..rows {
            let (done, rest) = self.change.split_at_mut(t * hidden);
            wx.copy_from_slice(&self.products[t * hidden..][..hidden]);
            for (u, &overlap) in done.chunks_exact(hidden).zip(&self.overlaps[t * block..]) {
                for (wx, &u) in wx.iter_mut().zip(u) {
                    *wx -= overlap * u;
                }
            }
            for ((h, wx), &bias) in h.iter_mut().zip(&mut *wx).zip(&*self.bias) {
                *wx *= 1.0 - decayed;
                *h = relu(*wx + bias);
            }
            let weights = self.weight2.chunks_exact(hidden);
            for ((logit, weights), &bias) in logits.iter_mut().zip(weights).zip(&*self.bias2) {
                *logit = dot(weights, h) + bias;
            }
            let (loss, hit) = softmax_cross_entropy::row(logits, self.labels[t], 1.0, dlogits);
            let squares = dot(self.weight2, self.weight2);
            let measured = [loss, if hit { 1.0 } else { 0.0 }, kept, added + squares];
            for (sum, value) in sums.iter_mut().zip(measured) {
                *sum += value;
            }

            dh.fill(0.0);
            let weights = self.weight2.chunks_exact_mut(hidden);
            for ((weights, &dlogit), bias) in weights.zip(&*dlogits).zip(&mut *self.bias2) {
                for ((w, dh), &h) in weights.iter_mut().zip(&mut *dh).zip(&*h) {
                    *dh += dlogit * *w;
                    *w -= rate * (dlogit * h + head.weight_decay * *w);
                }
                *bias -= rate * (dlogit + head.bias_decay * *bias);
            }
            decayed += rate * head.weight_decay * (1.0 - decayed);
            let scale = rate / (1.0 - decayed);
            let change = &mut rest[..hidden];
            for (((u, bias), dh), &h) in change.iter_mut().zip(&mut *self.bias).zip(&mut *dh).zip(&*h) {
                *dh = if h > 0.0 { *dh } else { 0.0 };
                *u = scale * *dh;
                *bias -= rate * (*dh + head.bias_decay * *bias);
            }
            let c = 1.0 - rate * head.weight_decay;
            let length = self.overlaps[t * block + t];
            kept *= c * c;
            added = c * c * added - 2.0 * c * rate * dot(dh, wx) + rate * rate * dot(dh, dh) * length;
        }
        let (done, padding) = self.change.split_at_mut(rows * hidden);
        for u in done {
            *u *= 1.0 - decayed;
        }
        padding.fill(0.0);
        sums
    }
}
