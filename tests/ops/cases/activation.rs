//! Cases of the activations and of their gradients.

use shadegrad::ops::activation::{self, Activation};

use super::lengths;
use crate::bench::{Bench, Cases, case, widen};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

/// All activations but ReLU, which is recorded as an op of its own; one with another argument, too.
pub fn activations() -> Vec<Activation> {
    let more = [Activation::LeakyRelu { slope: 0.3 }];
    Activation::all().filter(|activation| *activation != Activation::Relu).chain(more).collect()
}

/// The largest value that the activation takes between `-range` and `range`, or `range`.
fn magnitude(activation: Activation, range: f32) -> f64 {
    let range = f64::from(range);
    let ends = [-range, range].map(|x| reference::activation(activation, x).abs());
    ends.into_iter().fold(range, f64::max)
}

case!(Forward { activation: Activation, length: usize, range: f32 }, |bench| {
    let values = values(bench, length, range);
    let x = bench.activation_input("x", [length], &values);
    let y = activation::forward(bench.plan, activation, x);
    bench.expect("y", y, Tolerance::rounded(magnitude(activation, range)), move || {
        widen(&values).into_iter().map(|x| reference::activation(activation, x)).collect()
    });
});

case!(Backward { activation: Activation, length: usize, range: f32 }, |bench| {
    let values = values(bench, length, range);
    let x = bench.activation_input("x", [length], &values);
    let (dy, dy_wide) = bench.noise("dy", [length], UNIT);
    let dx = activation::backward(bench.plan, activation, x, dy);
    bench.expect("dx", dx, Tolerance::rounded(2.0), move || {
        let slopes = widen(&values).into_iter().map(|x| reference::activation_slope(activation, x));
        slopes.zip(dy_wide).map(|(slope, dy)| slope * dy).collect()
    });
});

/// One value is zero, where a leaky ReLU has its kink.
fn values(bench: &mut Bench, length: usize, range: f32) -> Vec<f32> {
    let mut values = bench.numbers.floats(length, range);
    values[length / 2] = 0.0;
    values
}

// Values of a diverged run. NaN must pass through, so that it becomes visible in the loss.
case!(Special { activation: Activation }, |bench| {
    let values = vec![f32::NAN, 0.0, -0.0, f32::INFINITY, 1e30, -1e30, -1e-30, 3e-20];
    let x = bench.floats("x", [2, 4], &values);
    let y = activation::forward(bench.plan, activation, x);
    bench.expect("y", y, Tolerance::relative(1e-6, 1e-35), move || {
        widen(&values).into_iter().map(|x| reference::activation(activation, x)).collect()
    });
});

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    for activation in activations() {
        cases.push(Box::new(Special { activation }));
        for range in [UNIT, 6.0, LARGE, TINY] {
            for length in lengths() {
                cases.push(Box::new(Forward { activation, length, range }));
                cases.push(Box::new(Backward { activation, length, range }));
            }
        }
    }
    // More than 65,535 workgroups of 256.
    let length = 65_536 * 256 + 77;
    cases.push(Box::new(Forward { activation: Activation::LeakyRelu { slope: 0.01 }, length, range: UNIT }));
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    let gelu = "Gelu, length: 1009";
    let mut edits = edits! {
        ["Forward", gelu] "one wrong digit of the series": "0.37409196" => "0.37408196";
        ["Backward", gelu] "density forgotten": "x * 0.39894228" => "0.0 * x";
        ["Forward", "slope: 0.3"] "ReLU that does not leak": "params.argument * x" => "0.0";
        ["Backward", "slope: 0.3"] "slope of zero taken from above": "x > 0.0)" => "x >= 0.0)";
    };
    for activation in activations() {
        let cases = &format!("{activation:?}, length: 1009");
        edits.extend(edits! {
            ["Forward", cases] "wrong function": "Stored(activation(" => "Stored(1.01 * activation(";
            ["Backward", cases] "wrong derivative":
                "Stored(activation_slope(" => "Stored(1.01 * activation_slope(";
        });
    }
    edits
}
