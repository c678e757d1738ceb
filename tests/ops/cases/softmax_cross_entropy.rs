//! Cases of softmax and cross-entropy: ordinary batches, partial batches, and logits as extreme as
//! floats can be.

use shadegrad::ops::gather::NO_LABEL;
use shadegrad::ops::softmax_cross_entropy::{self as softmax, ROWS_PER_PARTIAL, Target};
use shadegrad::plan::{Array, StepRecord};
use shadegrad::tensor::Tensor;

use crate::bench::{Bench, Case, Cases, Output, PLAIN_RUN, SLOTS, boxed, widen, written_slot};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, Numbers, TINY, UNIT};
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

/// The precision of f32: the difference of two logits is rounded, and its exponential inherits the
/// error.
const RELATIVE: f64 = 1e-5;

/// Numbers below the smallest normal float (1.2e-38) may be flushed to zero by a GPU.
const FLUSHED: f64 = 1.2e-38;

/// Losses above this are the largest float; the op promises to stay finite there.
const LARGEST_LOSS: f64 = 3.4e38;

/// How the logits are generated.
#[derive(Clone, Copy, Debug)]
enum Logits {
    /// Uniform between minus and plus this value.
    Uniform(f32),
    /// Each row is one of the kinds of [`extreme_row`].
    Extreme,
}

#[derive(Debug)]
struct SoftmaxCrossEntropy {
    batch: usize,
    classes: usize,
    /// Number of rows that hold an image.
    rows: usize,
    logits: Logits,
    smoothing: f32,
}

/// The `kind`-th row that a careless formula gets wrong; there are [`EXTREMES`].
fn extreme_row(kind: usize, classes: usize, numbers: &mut Numbers) -> Vec<f32> {
    const SIZES: [f32; 6] = [1e4, 1e30, 3.4e38, 88.0, 104.0, 1e-30];
    let size = SIZES[kind / 5 % SIZES.len()];
    let one = numbers.below(classes);
    let mut row = vec![0.0; classes];
    match kind % 5 {
        // All equal, at the largest or the smallest value.
        0 => row.fill(if kind.is_multiple_of(2) { size } else { -size }),
        // One class far above or far below all others.
        1 => row[one] = size,
        2 => row[one] = -size,
        // Both extremes, hence ties.
        3 => row = (0..classes).map(|class| if class % 2 == one % 2 { size } else { -size }).collect(),
        _ => row = numbers.floats(classes, size),
    }
    row
}

const EXTREMES: usize = 30;

impl SoftmaxCrossEntropy {
    fn values(&self, numbers: &mut Numbers) -> Vec<f32> {
        match self.logits {
            Logits::Uniform(range) => numbers.floats(self.batch * self.classes, range),
            Logits::Extreme => {
                (0..self.batch).flat_map(|row| extreme_row(row % EXTREMES, self.classes, numbers)).collect()
            }
        }
    }
}

impl Case for SoftmaxCrossEntropy {
    fn record(&self, bench: &mut Bench) {
        let &SoftmaxCrossEntropy { batch, classes, rows, smoothing, .. } = self;
        let values = self.values(&mut bench.numbers);
        let mut targets = bench.numbers.indices(batch, classes);
        targets[rows..].fill(NO_LABEL);
        let logits = bench.floats("logits", [batch, classes], &values);
        let labels = bench.input("labels", [batch], Array::U32(targets.clone()));
        let output = softmax::forward(bench.plan, logits, Target { labels, smoothing, slots: SLOTS });
        let row_weight = 1.0 / rows as f32;
        bench.run_with(&[StepRecord { rows: rows as u32, row_weight, ..PLAIN_RUN }]);

        let expected = move || {
            let values = widen(&values);
            Expected::of(&values, &targets[..rows], [batch, classes], smoothing.into(), row_weight.into())
        };
        // With label smoothing, the gradient is a difference with rounding errors of the target's
        // size.
        let rounding = if smoothing == 0.0 { FLUSHED } else { 1e-6 / rows as f64 };
        let of_losses = Tolerance::relative(RELATIVE, ROWS_PER_PARTIAL as f64 * FLUSHED);
        expect_metrics(bench, output.metrics, of_losses, expected.clone());
        let tolerance = Tolerance::relative(RELATIVE, rounding);
        bench.expect("dlogits", output.dlogits, tolerance, move || expected().gradient);
    }
}

/// Expects the losses and the hits of a batch in a slot of a ring of pairs.
pub fn expect_metrics(
    bench: &mut Bench,
    ring: Tensor,
    of_losses: Tolerance,
    expected: impl Fn() -> Expected + Clone + 'static,
) {
    let for_hits = expected.clone();
    let written = written_slot(ring);
    bench.expect_output(Output {
        name: "losses".into(),
        tensor: ring,
        written: written.clone(),
        read: |pairs| pairs.into_iter().step_by(2).collect(),
        tolerance: of_losses,
        reference: Box::new(move || expected().losses),
    });
    bench.expect_output(Output {
        name: "hits".into(),
        tensor: ring,
        written,
        read: |pairs| pairs.into_iter().skip(1).step_by(2).collect(),
        // A sum of a few dozen weights, none of which may be wrong by a whole row.
        tolerance: Tolerance::relative(1e-5, 0.0),
        reference: Box::new(move || for_hits().hits),
    });
}

/// Expected results for a batch.
pub struct Expected {
    pub gradient: Vec<f64>,
    /// One per [`ROWS_PER_PARTIAL`] rows, weighted.
    pub losses: Vec<f64>,
    pub hits: Vec<f64>,
}

impl Expected {
    /// For the logits `rows` and the labels of the rows that hold an image.
    pub fn of(
        rows: &[f64],
        targets: &[u32],
        [batch, classes]: [usize; 2],
        smoothing: f64,
        weight: f64,
    ) -> Self {
        let partials = batch.div_ceil(ROWS_PER_PARTIAL);
        let mut expected = Expected {
            gradient: vec![0.0; batch * classes],
            losses: vec![0.0; partials],
            hits: vec![0.0; partials],
        };
        for (row, &label) in targets.iter().enumerate() {
            let logits = &rows[row * classes..][..classes];
            let (loss, gradient) = match smoothing {
                0.0 => reference::softmax_cross_entropy(logits, label as usize),
                _ => reference::smoothed_cross_entropy(logits, label as usize, smoothing),
            };
            for (class, value) in gradient.into_iter().enumerate() {
                expected.gradient[row * classes + class] = value / targets.len() as f64;
            }
            let partial = row / ROWS_PER_PARTIAL;
            expected.losses[partial] += weight * loss.min(LARGEST_LOSS);
            expected.hits[partial] += if reference::hits(logits, label as usize) { weight } else { 0.0 };
        }
        expected
    }
}

pub fn cases() -> Cases {
    let mut cases = Vec::new();
    let mut add = |classes, (batch, rows), logits, smoothing| {
        cases.push(SoftmaxCrossEntropy { batch, classes, rows, logits, smoothing });
    };
    for classes in [1, 2, 3, 10, 37, 100] {
        for (batch, rows) in [(1, 1), (5, 3), (31, 31), (32, 32), (33, 33), (129, 100), (300, 300)] {
            let logits = Logits::Uniform([UNIT, LARGE, TINY, 10.0][(classes + batch) % 4]);
            add(classes, (batch, rows), logits, 0.0);
        }
    }
    for range in [UNIT, LARGE, TINY, 10.0, 30.0, 1e4] {
        add(10, (500, 500), Logits::Uniform(range), 0.0);
    }
    add(1000, (70, 67), Logits::Uniform(LARGE), 0.0);
    for classes in [1, 2, 3, 10, 1000] {
        for rows in [EXTREMES, 300] {
            add(classes, (300, rows), Logits::Extreme, 0.0);
        }
    }
    for classes in [1, 2, 3, 10, 37, 1000] {
        for (batch, rows, smoothing) in [(1, 1, 0.1), (65, 63, 0.2), (129, 129, 0.9)] {
            let logits = Logits::Uniform([UNIT, LARGE, 10.0][(classes + batch) % 3]);
            add(classes, (batch, rows), logits, smoothing);
        }
    }
    // More than 65,535 workgroups.
    let batch = 65_536 * ROWS_PER_PARTIAL + 9;
    add(2, (batch, batch - 5), Logits::Uniform(UNIT), 0.0);
    boxed(cases)
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        ["Uniform(100.0)"] "cancelling gradient": "-rest * factor" => "gradient - scale";
        ["Extreme"] "last of equal logits": "value > largest" => "value >= largest";
        ["Extreme"] "largest logit not subtracted": "exponential(below)" => "exp(logit(row, j))";
        ["smoothing: 0.2"] "smoothing of all but the label":
            "scale * (share - select(0.0, smoothing, j == label))" => "scale * share";
        ["rows: 3"] "mean over the padding too": ", step.rows)" => ", params.batch)";
    }
}
