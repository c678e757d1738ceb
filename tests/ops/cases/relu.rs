//! Cases of ReLU and of its gradient: every result is exact.

use shadegrad::ops::relu;

use super::lengths;
use crate::bench::{Cases, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

case!(Forward { length: usize, range: f32 }, |bench| {
    let mut values = bench.numbers.floats(length, range);
    values[0] = 0.0;
    let x = bench.activation_input("x", [length], &values);
    let y = relu::forward(bench.plan, x);
    bench.expect("y", y, Tolerance::EXACT, move || reference::relu(&widen(&values)));
});

case!(Backward { length: usize, range: f32 }, |bench| {
    // Zeros among y, as a forward pass produces them: the gradient there is 0.
    let mut outputs = bench.numbers.floats(length, range);
    outputs.iter_mut().step_by(3).for_each(|y| *y = 0.0);
    let y = bench.activation_input("y", [length], &outputs);
    let (dy, dy_wide) = bench.noise("dy", [length], range);
    let dx = relu::backward(bench.plan, y, dy);
    bench.expect("dx", dx, Tolerance::EXACT, move || reference::relu_backward(&widen(&outputs), &dy_wide));
});

// Values of a diverged run. NaN must pass through, so that it becomes visible in the loss.
case!(Special {}, |bench| {
    let values = vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, f32::MAX, f32::MIN, 1.0];
    let x = bench.floats("x", [2, 4], &values);
    let y = relu::forward(bench.plan, x);
    bench.expect("y", y, Tolerance::EXACT, move || reference::relu(&widen(&values)));
});

pub fn cases() -> Cases {
    let mut cases: Cases = vec![Box::new(Special {})];
    for range in [UNIT, LARGE, TINY] {
        for length in lengths() {
            cases.push(Box::new(Forward { length, range }));
            cases.push(Box::new(Backward { length, range }));
        }
    }
    // More than 65,535 workgroups of 256.
    let length = 65_536 * 256 + 77;
    cases.push(Box::new(Forward { length, range: UNIT }));
    cases.push(Box::new(Backward { length, range: UNIT }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    let select = "select(value, 0.0, value < 0.0)";
    edits! {
        ["Forward"] "sign flip": select => "-select(value, 0.0, value < 0.0)";
        ["Forward"] "NaN": select => "bitcast<f32>(0x7fc00000u | (i & 0u))";
        ["Forward"] "last element not written": "i < params.length" => "i + 1u < params.length";
        ["Forward"] "stale output added": "y[i] = " => "y[i] += ";
        ["Special"] "NaN lost": select => "max(value, 0.0)";
        ["16777293"] "second dimension of the grid ignored": "group.y * groups.x + group.x" => "group.x";
        ["Backward"] "mask that lets zeros through": "y[i] > Stored" => "y[i] >= Stored";
    }
}
