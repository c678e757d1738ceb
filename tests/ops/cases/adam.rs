//! Cases of Adam and AdamW: several steps from moments that are not zero, with changing learning
//! rates and bias corrections.

use shadegrad::ops::adam::{self, Update};

use super::lengths;
use crate::bench::{Cases, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::update_steps::{Kept, OWN, steps};
use crate::wrong_kernels::{Edit, edits};

/// Betas, epsilon, coupled and decoupled weight decay.
const KINDS: [([f32; 2], f32, f32, f32); 5] = [
    ([0.9, 0.999], 1e-8, 0.0, 0.0),
    ([0.9, 0.999], 1e-8, 0.25, 0.0),
    ([0.9, 0.999], 1e-8, 0.0, 0.25),
    ([0.5, 0.75], 0.5, 0.125, 0.25),
    ([0.0, 0.0], 1e-3, 0.0, 0.0),
];

case!(Adam { length: usize, kind: ([f32; 2], f32, f32, f32), range: f32 }, |bench| {
    let (betas, epsilon, coupled, decoupled) = kind;
    let rate = OWN[length % 4];
    let weights = bench.numbers.floats(length, range);
    let means = bench.numbers.floats(length, range);
    // Their roots are about as large as the gradients, so that the steps have ordinary sizes.
    let mut squares = bench.numbers.floats(length, range);
    squares.iter_mut().for_each(|value| *value = (range + value.abs()).powi(2));
    let mut gradients = bench.numbers.floats(length, range);
    gradients.iter_mut().for_each(|value| *value += if *value < 0.0 { -range } else { range });
    let dw = bench.floats("dw", [length], &gradients);
    let kept = Kept::new(bench, &[length], ["w", "m", "s"], [weights, means, squares]);
    let [parameter, mean, square] = kept.tensors;
    let update = Update { parameter, mean, square, betas, epsilon, rate, coupled, decoupled };
    adam::step(bench.plan, update, dw);
    let records = steps().map(|record| adam::correct(record, betas, record.step as usize));
    bench.run_with(&records);

    // The first correction multiplies a mean that is not zero by up to a thousand, and the root
    // by thirty.
    let sizes = 8.0 * f64::from(range);
    let tolerances = [sizes + 16.0, sizes, sizes * sizes].map(Tolerance::rounded);
    let [beta1, beta2] = betas.map(f64::from);
    let [epsilon, coupled, decoupled] = [epsilon, coupled, decoupled].map(f64::from);
    let dw = move || widen(&gradients);
    kept.expect(bench, tolerances, rate, dw, move |step, rate, [w, m, s], dw| {
        let t = step as i32 + 1;
        for i in 0..w.len() {
            let g = dw[i] + coupled * w[i];
            m[i] = beta1 * m[i] + (1.0 - beta1) * g;
            s[i] = beta2 * s[i] + (1.0 - beta2) * g * g;
            let mean = m[i] / (1.0 - beta1.powi(t));
            let square = s[i] / (1.0 - beta2.powi(t));
            w[i] = w[i] * (1.0 - rate * decoupled) - rate * mean / (square.sqrt() + epsilon);
        }
    });
});

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    for (index, kind) in KINDS.into_iter().enumerate() {
        for length in lengths() {
            let range = [UNIT, LARGE, TINY][index % 3];
            cases.push(Box::new(Adam { length, kind, range }));
        }
        // The first step gives the weights an ordinary size; their coupled decay would hide tiny
        // gradients.
        let (_, _, coupled, _) = kind;
        for range in [UNIT, LARGE, TINY].into_iter().filter(|range| coupled == 0.0 || *range != TINY) {
            cases.push(Box::new(Adam { length: 1009, kind, range }));
        }
    }
    cases.push(Box::new(Adam { length: 65_536 * 256 + 77, kind: KINDS[2], range: UNIT }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        ["1e-8, 0.0, 0.25"] "decoupled decay lost": "params.decoupled * old" => "0.0";
        ["1e-8, 0.25, 0.0"] "coupled decay lost": "params.coupled * old" => "0.0";
        [] "root not corrected": "sqrt(square) * step.root_scale" => "sqrt(square)";
        ["0.5, 0.125"] "epsilon under the root":
            "sqrt(square) * step.root_scale + params.epsilon"
            => "sqrt(square + params.epsilon) * step.root_scale";
    }
}
