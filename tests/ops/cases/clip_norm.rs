//! Cases of clipping: one gradient and several, with norms above and below the limit, and zeros.

use shadegrad::ops::clip_norm::{self, Gradient};

use super::lengths;
use crate::bench::{Cases, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

case!(ClipNorm { lengths: Vec<usize>, most: f32, range: f32 }, |bench| {
    let gradients: Vec<Vec<f32>> =
        lengths.iter().map(|&length| bench.numbers.floats(length, range)).collect();
    let tensors: Vec<_> =
        gradients.iter().map(|values| bench.parameter("dw", [values.len()], values)).collect();
    let weights: Vec<Vec<f32>> =
        lengths.iter().map(|&length| bench.numbers.floats(length, range)).collect();
    // Every other gradient has no penalty, as those of biases have none.
    let penalty_of = |index: usize| [0.5f32, 0.0][index % 2];
    let mut together = Vec::new();
    for (index, &dw) in tensors.iter().enumerate() {
        let w = bench.floats("w", [weights[index].len()], &weights[index]);
        together.push(Gradient { dw, w, penalty: penalty_of(index) });
    }
    clip_norm::clip(bench.plan, &together, most);
    let most = f64::from(most);
    for (index, tensor) in tensors.into_iter().enumerate() {
        let (gradients, weights) = (gradients.clone(), weights.clone());
        // The sum with the penalty may cancel.
        let tolerance = Tolerance::relative(2e-6, 2e-7 * f64::from(range));
        bench.expect("dw", tensor, tolerance, move || {
            let mut wide: Vec<_> = gradients.iter().map(|values| widen(values)).collect();
            for (index, (gradient, weight)) in wide.iter_mut().zip(&weights).enumerate() {
                let penalty = f64::from(penalty_of(index));
                gradient.iter_mut().zip(weight).for_each(|(dw, w)| *dw += penalty * f64::from(*w));
            }
            reference::clip_norm(&mut wide, most);
            wide.swap_remove(index)
        });
    }
});

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    let mut add = |lengths: &[usize], most, range| {
        cases.push(Box::new(ClipNorm { lengths: lengths.to_vec(), most, range }));
    };
    for length in lengths() {
        for (most, range) in [(0.125, UNIT), (1e6, LARGE), (1.0, LARGE)] {
            add(&[length], most, range);
        }
    }
    for (most, range) in [(0.5, UNIT), (3.0, LARGE), (1e-9, TINY), (1e4, UNIT), (1.0, 0.0)] {
        add(&[1, 1], most, range);
        add(&[784 * 33, 33, 330, 10], most, range);
        add(&[65_537, 3, 16_385, 257, 1, 40_961], most, range);
    }
    // More partial sums than one workgroup has lanes, and more workgroups than one dimension may
    // have.
    add(&[20_000; 9], 1.0, UNIT);
    add(&[65_536 * 256 + 77, 5], 1.0, UNIT);
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        ["[65537, 3"] "only the first gradient's norm":
            "params.first + group.x" => "0u * params.first + group.x";
    }
}
