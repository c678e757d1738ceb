//! Cases of the L2 penalty: its partial sums, added in float64 as the host does.

use shadegrad::ops::l2_penalty;

use super::lengths;
use crate::bench::{Cases, Output, SLOTS, case, widen, written_slot};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

case!(SumOfSquares { length: usize, range: f32 }, |bench| {
    let values = bench.numbers.floats(length, range);
    let w = bench.parameter("w", [length], &values);
    let ring = l2_penalty::value(bench.plan, w, SLOTS);
    bench.expect_output(Output {
        name: "sum of squares".into(),
        tensor: ring,
        written: written_slot(ring),
        read: |partials| vec![partials.iter().sum()],
        // Nothing cancels in a sum of squares.
        tolerance: Tolerance::relative(1e-6, 0.0),
        reference: Box::new(move || vec![reference::sum_of_squares(&widen(&values))]),
    });
});

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    // 64 partial sums of 256 elements, then of 512: the chunk grows here.
    let chunks = [256 * 63, 256 * 64 - 1, 256 * 64, 256 * 64 + 1, 512 * 64, 512 * 64 + 1];
    for range in [UNIT, LARGE, TINY] {
        for length in lengths().into_iter().chain(chunks) {
            cases.push(Box::new(SumOfSquares { length, range }));
        }
    }
    cases.push(Box::new(SumOfSquares { length: 16_777_217 + 300, range: UNIT }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        [] "first slot": "ring[step.slot * " => "ring[0u * step.slot * ";
    }
}
