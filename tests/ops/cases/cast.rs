//! Cases of the cast: every result is the nearest f16 number or its neighbour.

use shadegrad::ops::cast;

use super::lengths;
use crate::bench::{Cases, boxed, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::wrong_kernels::{Edit, edits};

case!(Cast { length: usize, range: f32 }, |bench| {
    // Values that f16 cannot represent exactly: the case has f32 input.
    let values: Vec<f32> = (0..length).map(|index| range * (index as f32 * 0.7).sin()).collect();
    let x = bench.floats("x", [length], &values);
    let y = cast::to_f16(bench.plan, x);
    bench.expect("y", y, Tolerance::EXACT, move || widen(&values));
});

// Values of a diverged run.
case!(Special {}, |bench| {
    let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 65_504.0, -65_504.0];
    let x = bench.floats("x", [values.len()], &values);
    let y = cast::to_f16(bench.plan, x);
    bench.expect("y", y, Tolerance::EXACT, move || widen(&values));
});

pub fn cases() -> Cases {
    let mut cases: Cases = vec![Box::new(Special {})];
    for range in [UNIT, LARGE, TINY] {
        cases.extend(boxed(lengths().into_iter().map(|length| Cast { length, range })));
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
