//! Cases of SGD: several steps with a changing learning rate.

use shadegrad::ops::Rate;
use shadegrad::ops::sgd::{self, Momentum, Update};

use super::lengths;
use crate::bench::{Bench, Cases, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference;
use crate::update_steps::{Kept, OWN, steps};
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

/// An SGD update with its initial values.
pub struct SgdUpdate {
    pub update: Update,
    start: [Vec<f32>; 2],
}

impl SgdUpdate {
    /// Declares the parameter `name`, and its velocity if there is momentum.
    pub fn new(
        bench: &mut Bench,
        name: &str,
        shape: &[usize],
        range: f32,
        (momentum, decay, rate): (Kind, f32, Rate),
    ) -> Self {
        let start = [(); 2].map(|()| bench.numbers.floats(shape.iter().product(), range));
        let parameter = bench.parameter(name, shape, &start[0]);
        let momentum = momentum.map(|(factor, nesterov)| Momentum {
            velocity: bench.parameter(&format!("velocity of {name}"), shape, &start[1]),
            factor,
            nesterov,
        });
        SgdUpdate { update: Update { parameter, rate, decay, momentum }, start }
    }

    /// Expects the result of three steps with the gradient `dw`.
    pub fn expect(self, bench: &mut Bench, tolerance: Tolerance, dw: impl Fn() -> Vec<f64> + 'static) {
        let SgdUpdate { update: Update { parameter, rate, decay, momentum }, start: [w, v] } = self;
        let decay = f64::from(decay);
        match momentum {
            None => {
                let kept = Kept { tensors: [parameter], start: [w] };
                kept.expect(bench, [tolerance], rate, dw, move |_, rate, [w], dw| {
                    reference::sgd(rate, decay, w, dw);
                });
            }
            Some(Momentum { velocity, factor, nesterov }) => {
                let kept = Kept { tensors: [parameter, velocity], start: [w, v] };
                kept.expect(bench, [tolerance; 2], rate, dw, move |_, rate, [w, v], dw| {
                    let momentum = f64::from(factor);
                    for i in 0..w.len() {
                        let g = dw[i] + decay * w[i];
                        v[i] = momentum * v[i] + g;
                        w[i] -= rate * if nesterov { g + momentum * v[i] } else { v[i] };
                    }
                });
            }
        }
    }
}

case!(Sgd { length: usize, momentum: Kind, rate: Rate, decay: f32, range: f32 }, |bench| {
    let descent = SgdUpdate::new(bench, "w", &[length], range, (momentum, decay, rate));
    let gradients = bench.numbers.floats(length, range);
    let dw = bench.floats("dw", [length], &gradients);
    sgd::step(bench.plan, descent.update, dw);
    bench.run_with(&steps());
    // Each step adds at most the gradient, the decayed weight and the old velocity.
    let tolerance = Tolerance::rounded(8.0 * f64::from(range));
    descent.expect(bench, tolerance, move || widen(&gradients));
});

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
    let (length, momentum, rate) = (65_536 * 256 + 77, Some((0.9, true)), Rate::Scaled(0.5));
    cases.push(Box::new(Sgd { length, momentum, rate, decay: 0.25, range: UNIT }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        ["true"] "nesterov off": "params.nesterov == 1u" => "params.nesterov == 2u";
        ["decay: 0.25"] "decay lost": "params.decay * old" => "0.0";
    }
}
