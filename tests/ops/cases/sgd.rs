//! Cases of SGD: several steps with a changing learning rate.

use shadegrad::ops::Rate;
use shadegrad::ops::sgd::{self, Momentum, Update};

use super::{OWN, lengths, own_rates, steps};
use crate::bench::{Bench, Case, Cases, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference::Descent;
use crate::wrong_kernels::{Edit, edits};

/// Momentum, and whether it is Nesterov's.
pub type Kind = Option<(f32, bool)>;

/// Every kind of update, with no, usual and strong weight decay.
pub const UPDATES: [(Kind, f32); 7] = [
    (None, 0.0),
    (None, 0.25),
    (Some((0.0, false)), 1e-4),
    (Some((0.9, false)), 0.0),
    (Some((0.9, false)), 0.25),
    (Some((0.9, true)), 0.0),
    (Some((0.5, true)), 0.25),
];

/// The reference's version of an update.
pub fn descent(momentum: Kind, decay: f32) -> Descent {
    let (factor, nesterov) = momentum.unwrap_or((0.0, false));
    Descent { decay: decay.into(), momentum: factor.into(), nesterov }
}

#[derive(Debug)]
struct Sgd {
    length: usize,
    momentum: Kind,
    rate: Rate,
    decay: f32,
    range: f32,
}

impl Case for Sgd {
    fn record(&self, bench: &mut Bench) {
        let &Sgd { length, momentum, rate, decay, range } = self;
        let weights = bench.numbers.floats(length, range);
        let velocities = bench.numbers.floats(length, range);
        let gradients = bench.numbers.floats(length, range);
        let dw = bench.floats("dw", [length], &gradients);
        let w = bench.parameter("w", [length], &weights);
        let momentum = momentum.map(|(factor, nesterov)| Momentum {
            velocity: bench.parameter("v", [length], &velocities),
            factor,
            nesterov,
        });
        sgd::step(bench.plan, Update { parameter: w, rate, decay, momentum }, dw);
        bench.run_with(&steps());

        // Each step adds at most the gradient, the decayed weight and the old velocity.
        let tolerance = Tolerance::rounded(8.0 * f64::from(range));
        let descent = descent(self.momentum, decay);
        let after = move || {
            let (mut w, mut v) = (widen(&weights), widen(&velocities));
            for rate in own_rates(rate) {
                descent.step(rate, &mut w, &mut v, &widen(&gradients));
            }
            (w, v)
        };
        let after_for_v = after.clone();
        bench.expect("w", w, tolerance, move || after().0);
        if let Some(momentum) = momentum {
            bench.expect("v", momentum.velocity, tolerance, move || after_for_v().1);
        }
    }
}

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    for (index, (momentum, decay)) in UPDATES.into_iter().enumerate() {
        for length in lengths() {
            let range = [UNIT, LARGE, TINY][index % 3];
            let rate = OWN[length % 4];
            cases.push(Box::new(Sgd { length, momentum, rate, decay, range }));
        }
        for range in [UNIT, LARGE, TINY] {
            cases.push(Box::new(Sgd { length: 1009, momentum, rate: OWN[0], decay, range }));
        }
    }
    let length = 65_536 * 256 + 77;
    cases.push(Box::new(Sgd {
        length,
        momentum: Some((0.9, true)),
        rate: Rate::Scaled(0.5),
        decay: 0.25,
        range: UNIT,
    }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        ["true"] "nesterov off": "params.nesterov == 1u" => "params.nesterov == 2u";
        ["decay: 0.25"] "decay lost": "params.decay * old" => "0.0";
    }
}
