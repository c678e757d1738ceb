//! Softmax and cross-entropy in one pass: loss, correct count and the gradient of the logits.
//!
//! For one row of logits `z` with label `y`, and `m = max z` at class `best`:
//!
//! ```text
//! rest = sum over j != best of exp(z_j - m)
//! loss = (m - z_y) + log(1 + rest)
//! p_j  = exp(z_j - m) / (1 + rest)
//! dz_j = (p_j - [j = y]) / rows
//! correct = [best = y]
//! ```
//!
//! With label smoothing s and C classes (Szegedy et al. 2016, section 7, as in PyTorch's
//! `cross_entropy`) the target is `t_j = (1 - s) [j = y] + s / C`:
//!
//! ```text
//! loss = log(1 + rest) + (1 - s) (m - z_y) + s / C sum over j of (m - z_j)
//! dz_j = (p_j - t_j) / rows
//! ```
//!
//! Because `rest` omits the largest term, `log(1 + rest)` and `p_y - 1 = -rest / (1 + rest)` are
//! exact even if the model is almost certain. Subtracting the maximum keeps every exponent at or
//! below zero (the usual "log-sum-exp trick"). Differences of logits are clamped to the largest
//! float, so that logits up to ±3.4e38 give finite results. NaN passes through.
//!
//! Losses and correct counts of [`ROWS_PER_PARTIAL`] rows are added in a fixed order, weighted by
//! the step's `row_weight`, into this run's slot of a ring buffer that the host reads later.
//!
//! ```
//! use shadegrad::ops::softmax_cross_entropy::{self, Target};
//! use shadegrad::plan::{Plan, Role};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let logits = plan.declare("logits", Role::Input, Element::F32, [2, 10]);
//! let labels = plan.declare("labels", Role::Input, Element::U32, [2]);
//! plan.begin("example");
//! let target = Target { labels, smoothing: 0.1, slots: 1 };
//! let loss = softmax_cross_entropy::forward(&mut plan, logits, target);
//! assert_eq!(loss.dlogits.shape(), logits.shape());
//! ```

use super::frame::op;
use super::gather::NO_LABEL;
use crate::kernel::iterations;
use crate::kernel::shaders::{self, SoftmaxCrossEntropyParams};
use crate::plan::{Op, Operands, Plan, Role};
use crate::tensor::{Element, Tensor};

/// Rows whose losses and correct counts form one partial sum.
pub const ROWS_PER_PARTIAL: usize = shaders::SOFTMAX_CROSS_ENTROPY.invocations() as usize;

/// The target of the logits, and the size of the metrics.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The right class of each image, `[batch]`.
    pub labels: Tensor,
    /// Label smoothing: fraction of the target that is spread over all classes, at least 0 and
    /// below 1.
    pub smoothing: f32,
    /// Slots of the ring buffer of losses and correct counts.
    pub slots: usize,
}

/// The outputs of the op.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// Gradient of the mean loss, `[batch, classes]`; zeros in rows without an image.
    pub dlogits: Tensor,
    /// `[slots, 2 * partials]`: in each slot, pairs of weighted loss and weighted correct count.
    pub metrics: Tensor,
}

/// Records loss, correct count and gradient of `logits`, `[batch, classes]`.
pub fn forward(plan: &mut Plan, logits: Tensor, target: Target) -> Loss {
    let [batch, _] = logits.matrix("logits");
    logits.expect("logits", Element::F32, logits.shape());
    target.labels.expect("labels", Element::U32, [batch]);
    let loss = Loss::declare(plan, logits, target.slots);
    plan.record(recorded(logits, target, loss));
    loss
}

impl Loss {
    pub(super) fn declare(plan: &mut Plan, logits: Tensor, slots: usize) -> Self {
        let [batch, _] = logits.matrix("logits");
        let dlogits = plan.scratch("dlogits", logits.shape());
        let partials = batch.div_ceil(ROWS_PER_PARTIAL);
        let metrics = plan.declare("metrics", Role::Metric, Element::F32, [slots, 2 * partials]);
        Loss { dlogits, metrics }
    }
}

/// `a - b` for `a <= b`, clamped to finite numbers; NaN stays NaN.
pub(super) fn difference(a: f32, b: f32) -> f32 {
    let half = 0.5 * a - 0.5 * b;
    2.0 * if half < -1.7e38 { -1.7e38 } else { half }
}

/// The class of the largest logit, the first one if several are equal: the model's prediction.
pub fn largest(logits: &[f32]) -> usize {
    let mut best = 0;
    for (class, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = class;
        }
    }
    best
}

/// Writes the gradient of one row, multiplied by `scale`. Returns the row's loss and whether the
/// largest logit is the label's.
pub(super) fn row(logits: &[f32], label: u32, scale: f32, dlogits: &mut [f32]) -> (f32, bool) {
    let best = largest(logits);
    let largest = logits[best];
    let mut rest = 0.0;
    for (class, (&logit, gradient)) in logits.iter().zip(&mut *dlogits).enumerate() {
        let term = difference(logit, largest).exp();
        *gradient = term;
        if class != best {
            rest += term;
        }
    }
    let factor = scale / (1.0 + rest);
    for gradient in &mut *dlogits {
        *gradient *= factor;
    }
    let label = label as usize;
    if label == best {
        dlogits[label] = -rest * factor;
    } else {
        dlogits[label] -= scale;
    }
    let loss = rest.ln_1p() - difference(logits[label], largest);
    (loss, label == best)
}

/// Adds label smoothing to a row's gradient, and returns the amount to add to its loss.
fn smooth(logits: &[f32], label: u32, smoothing: f32, scale: f32, dlogits: &mut [f32]) -> f32 {
    let (largest, label) = (logits[largest(logits)], label as usize);
    let share = smoothing / logits.len() as f32;
    let mut below = 0.0;
    for (&logit, gradient) in logits.iter().zip(&mut *dlogits) {
        below -= difference(logit, largest) * share;
        *gradient -= share * scale;
    }
    dlogits[label] += smoothing * scale;
    below + smoothing * difference(logits[label], largest)
}

/// The op, whose operands are declared.
pub(super) fn recorded(logits: Tensor, target: Target, loss: Loss) -> impl Op {
    let Target { labels, smoothing, .. } = target;
    let Loss { dlogits, metrics } = loss;
    let ([batch, classes], [_, width]) = (logits.matrix("logits"), metrics.matrix("metrics"));
    let params = SoftmaxCrossEntropyParams {
        batch: batch as u32,
        classes: classes as u32,
        smoothing,
        partials: batch.div_ceil(ROWS_PER_PARTIAL) as u32,
    };
    let tensors = [logits, labels, dlogits, metrics];
    // Rows without a label run one loop, all others three.
    let iterations = 3 * iterations(classes, 0) + iterations(ROWS_PER_PARTIAL, 0);
    let kernel = shaders::SOFTMAX_CROSS_ENTROPY.for_each(batch, params, &tensors, iterations);
    let operands = Operands::new(&[logits, labels], &[dlogits, metrics]);
    op("softmax_cross_entropy", operands, vec![kernel], move |memory, step| {
        let (logits, labels) = (memory.f32(logits), memory.u32(labels));
        let (mut dlogits, mut metrics) = (memory.f32_mut(dlogits), memory.f32_mut(metrics));
        let slot = &mut metrics[step.slot as usize * width..][..width];
        slot.fill(0.0);
        let scale = 1.0 / step.rows as f32;
        let rows = logits.chunks_exact(classes).zip(dlogits.chunks_exact_mut(classes));
        for (index, ((logits, dlogits), &label)) in rows.zip(&*labels).enumerate() {
            if label == NO_LABEL {
                dlogits.fill(0.0);
                continue;
            }
            let (mut loss, hit) = row(logits, label, scale, dlogits);
            if smoothing != 0.0 {
                loss += smooth(logits, label, smoothing, scale, dlogits);
            }
            let partial = 2 * (index / ROWS_PER_PARTIAL);
            slot[partial] += loss * step.row_weight;
            slot[partial + 1] += if hit { step.row_weight } else { 0.0 };
        }
    })
}
