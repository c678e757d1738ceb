//! Cases of max-pool and its gradient. The maximum is exact; a gradient is a sum of few terms.

use shadegrad::ops::max_pool;

use super::{PoolSize, pools};
use crate::bench::{Bench, Cases, case, widen};
use crate::compare::Tolerance;
use crate::numbers::UNIT;
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

/// The contents of the map.
#[derive(Clone, Copy, Debug)]
enum Content {
    Numbers,
    /// Few different values, so that most windows have several largest cells; all negative, so that
    /// padding taken for zeros would win.
    Ties,
    /// Some values are NaN.
    NotNumbers,
}

fn values(bench: &mut Bench, pool: PoolSize, content: Content) -> Vec<f32> {
    let mut values = bench.numbers.floats(pool.shape().iter().product(), UNIT);
    match content {
        Content::Numbers => {}
        Content::Ties => values.iter_mut().for_each(|value| *value = (2.0 * *value).round() - 3.0),
        Content::NotNumbers => values.iter_mut().step_by(11).for_each(|value| *value = f32::NAN),
    }
    values
}

case!(Forward { pool: PoolSize, content: Content }, |bench| {
    let values = values(bench, pool, content);
    let x = bench.activation_input("x", pool.shape(), &values);
    let y = max_pool::forward(bench.plan, x, pool.window);
    bench.expect("y", y, Tolerance::EXACT, move || reference::max_pool(pool, &widen(&values)));
});

case!(Backward { pool: PoolSize, content: Content }, |bench| {
    let values = values(bench, pool, content);
    // The maximum of f32 numbers is one of them.
    let largest: Vec<f32> =
        reference::max_pool(pool, &widen(&values)).into_iter().map(|largest| largest as f32).collect();
    let x = bench.activation_input("x", pool.shape(), &values);
    let y = bench.activation_input("y", pool.output(), &largest);
    let (dy, dy_wide) = bench.noise("dy", pool.output(), UNIT);
    let dx = max_pool::backward(bench.plan, x, y, dy, pool.window);
    bench.expect("dx", dx, Tolerance::sum(9, 3.0), move || {
        reference::max_pool_backward(pool, &widen(&values), &dy_wide)
    });
});

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    for pool in pools() {
        for content in [Content::Numbers, Content::Ties] {
            cases.push(Box::new(Forward { pool, content }));
            // The gradient of a window with NaN is dropped; the reference does not define it.
            cases.push(Box::new(Backward { pool, content }));
        }
    }
    for pool in pools().into_iter().step_by(5) {
        cases.push(Box::new(Forward { pool, content: Content::NotNumbers }));
    }
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        ["NotNumbers"] "NaN lost": "(value > largest) | is_nan" => "value > largest";
        ["Forward"] "smallest instead of largest": "value > largest" => "value < largest";
        ["Forward"] "pool's last element not written": "i < params.length" => "i + 1u < params.length";
        ["Forward"] "last column of a window lost": "column < last_column" => "column + 1u < last_column";
        ["Backward", "content: Ties"] "ties that all win": "if first {" => "if true || first {";
        ["Backward", "content: Ties"] "last of equal cells wins": "above <= bottom" => "above < bottom";
        ["Backward", "content: Ties"] "ties that all win, windows apart":
            "left = select(left, Lanes(0.0), takes);" => "left = select(left, left, takes);";
        ["Backward"] "cells behind the last window not written":
            "select(end, input, output + 1u == outputs)" => "end";
        ["Backward", "width: 2, stride: 3"] "cells between windows taken":
            "Flags(is_inside)" => "Flags(is_inside | true)";
        ["Backward", "width: 3, stride: 1"] "gradient of one window only": "sum += f32(dy" => "sum = f32(dy";
    }
}
