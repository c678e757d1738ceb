//! Cases of Lion. Gradients are simple multiples of the momentum, so that no sum whose sign counts
//! is close to zero, where rounding may change the sign; some sums are exactly zero.

use shadegrad::ops::lion::{self, Update};

use super::lengths;
use crate::bench::{Cases, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::update_steps::{Kept, OWN, steps};
use crate::wrong_kernels::{Edit, edits};

const BETAS: [f32; 2] = [0.9, 0.99];

/// Ratios of gradient and momentum: with [`BETAS`], a sum stays clear of zero for three steps.
const MULTIPLES: [f32; 5] = [-4.0, -20.0, 3.0, -30.0, 0.5];

case!(Lion { length: usize, coupled: f32, decoupled: f32, range: f32 }, |bench| {
    let rate = OWN[length % 4];
    let mut means = bench.numbers.floats(length, range);
    means.iter_mut().skip(5).step_by(6).for_each(|mean| *mean = 0.0);
    let gradients: Vec<f32> =
        means.iter().enumerate().map(|(index, mean)| MULTIPLES[index % 5] * mean).collect();
    // Coupled decay adds to the gradient: weights of the same sign keep the sum clear of zero.
    let mut weights = bench.numbers.floats(length, range);
    if coupled != 0.0 {
        weights.iter_mut().zip(&gradients).for_each(|(w, g)| *w = 8.0 * g);
    }
    let dw = bench.floats("dw", [length], &gradients);
    let kept = Kept::new(bench, &[length], ["w", "m"], [weights, means]);
    let [parameter, mean] = kept.tensors;
    lion::step(bench.plan, Update { parameter, mean, betas: BETAS, rate, coupled, decoupled }, dw);
    bench.run_with(&steps());

    let largest = 300.0 * f64::from(range);
    let tolerances = [largest + 1.0, largest].map(Tolerance::rounded);
    let [beta1, beta2] = BETAS.map(f64::from);
    let [coupled, decoupled] = [coupled, decoupled].map(f64::from);
    let dw = move || widen(&gradients);
    kept.expect(bench, tolerances, rate, dw, move |_, rate, [w, m], dw| {
        for i in 0..w.len() {
            let g = dw[i] + coupled * w[i];
            let sum = beta1 * m[i] + (1.0 - beta1) * g;
            let sign = if sum == 0.0 { 0.0 } else { sum.signum() };
            w[i] = w[i] * (1.0 - rate * decoupled) - rate * sign;
            m[i] = beta2 * m[i] + (1.0 - beta2) * g;
        }
    });
});

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    for (index, (coupled, decoupled)) in [(0.0, 0.0), (0.0, 0.25), (1e-6, 0.0)].into_iter().enumerate() {
        for length in lengths() {
            let range = [UNIT, LARGE, UNIT][index];
            cases.push(Box::new(Lion { length, coupled, decoupled, range }));
        }
        for range in [UNIT, LARGE, TINY] {
            cases.push(Box::new(Lion { length: 1009, coupled: 0.0, decoupled, range }));
        }
    }
    cases.push(Box::new(Lion { length: 65_536 * 256 + 77, coupled: 0.0, decoupled: 0.25, range: UNIT }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        [] "sign of the kept mean": "(1.0 - params.beta1) * g" => "(1.0 - params.beta2) * g";
        ["decoupled: 0.25"] "decay of the stepped weight lost": "params.decoupled * old" => "0.0";
    }
}
