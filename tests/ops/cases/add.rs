//! Cases of addition, without factors and with them.

use shadegrad::ops::add;

use super::lengths;
use crate::bench::{Cases, boxed, case};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::wrong_kernels::{Edit, edits};

case!(Add {
    length: usize,
    range: f32,
    /// The factors, if they are not ones.
    factors: Option<[f32; 2]>,
}, |bench| {
    let [(a, a_wide), (b, b_wide)] = ["a", "b"].map(|name| bench.noise(name, [length], range));
    let y = match factors {
        None => add::forward(bench.plan, a, b),
        Some(factors) => add::weighted(bench.plan, factors, a, b),
    };
    let [alpha, beta] = factors.unwrap_or([1.0, 1.0]).map(f64::from);
    let largest = f64::from(range) * alpha.abs().max(beta.abs());
    bench.expect("y", y, Tolerance::rounded(largest), move || {
        a_wide.iter().zip(&b_wide).map(|(a, b)| alpha * a + beta * b).collect()
    });
});

pub fn cases() -> Cases {
    let sizes = [UNIT, LARGE, TINY]
        .into_iter()
        .flat_map(|range| lengths().into_iter().map(move |length| (length, range)));
    // The last has more than 65,535 workgroups of 256.
    let sizes = sizes.chain([(65_536 * 256 + 77, UNIT)]);
    let kinds = [None, Some([-4.775, 2.0315]), Some([3.4445, 1.0])];
    let cases = sizes.enumerate();
    boxed(cases.map(|(index, (length, range))| Add { length, range, factors: kinds[index % 3] }))
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        [] "difference": "+ params.beta" => "- params.beta";
    }
}
