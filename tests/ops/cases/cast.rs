//! Cases of the cast: every result is the nearest f16 number or its neighbour.

use shadegrad::ops::cast;

use super::lengths;
use crate::bench::{Bench, Case, Cases, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::wrong_kernels::{Edit, edits};

#[derive(Debug)]
struct Cast {
    length: usize,
    range: f32,
}

impl Case for Cast {
    fn record(&self, bench: &mut Bench) {
        // Values that f16 cannot represent exactly: the case has f32 input.
        let values: Vec<f32> =
            (0..self.length).map(|index| self.range * (index as f32 * 0.7).sin()).collect();
        let x = bench.floats("x", [self.length], &values);
        let y = cast::to_f16(bench.plan, x);
        bench.expect("y", y, Tolerance::EXACT, move || widen(&values));
    }
}

/// Values of a diverged run.
#[derive(Debug)]
struct Special;

impl Case for Special {
    fn record(&self, bench: &mut Bench) {
        let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 65_504.0, -65_504.0];
        let x = bench.floats("x", [values.len()], &values);
        let y = cast::to_f16(bench.plan, x);
        bench.expect("y", y, Tolerance::EXACT, move || widen(&values));
    }
}

pub fn cases() -> Cases {
    let mut cases: Cases = vec![Box::new(Special)];
    for range in [UNIT, LARGE, TINY] {
        cases.extend(lengths().into_iter().map(|length| Box::new(Cast { length, range }) as Box<dyn Case>));
    }
    // More than 65,535 workgroups of 256.
    cases.push(Box::new(Cast { length: 65_536 * 256 + 77, range: UNIT }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        in F16 ["length: 257"] "a thousandth too little": "Stored(x[i])" => "Stored(0.998 * x[i])";
    }
}
