//! Cases of average-pool and of its gradient.

use shadegrad::ops::average_pool;

use super::{PoolSize, pools};
use crate::bench::{Cases, case};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, UNIT};
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

case!(Forward { pool: PoolSize, range: f32 }, |bench| {
    let (x, wide) = bench.noise("x", pool.shape(), range);
    let y = average_pool::forward(bench.plan, x, pool.window);
    bench.expect("y", y, tolerance(pool, range), move || reference::average_pool(pool, &wide));
});

case!(Backward { pool: PoolSize, range: f32 }, |bench| {
    // The gradient depends only on the shape of the input.
    let x = bench.activation_input("x", pool.shape(), &vec![f32::NAN; pool.shape().iter().product()]);
    let (dy, wide) = bench.noise("dy", pool.output(), range);
    let dx = average_pool::backward(bench.plan, x, dy, pool.window);
    bench.expect("dx", dx, tolerance(pool, range), move || reference::average_pool_backward(pool, &wide));
});

/// A sum of as many terms as a window has cells, divided by their number.
fn tolerance(pool: PoolSize, range: f32) -> Tolerance {
    let area = pool.window.height * pool.window.width;
    Tolerance::sum(area, f64::from(range) / (area as f64).sqrt())
}

pub fn cases() -> Cases {
    let mut cases: Cases = Vec::new();
    for pool in pools() {
        for range in [UNIT, LARGE] {
            cases.push(Box::new(Forward { pool, range }));
            cases.push(Box::new(Backward { pool, range }));
        }
    }
    cases
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    let area = "params.window_height * params.window_width";
    edits! {
        ["padding: 1"] "padding left out of one side":
            "minus(start + size, params.padding)" => "(start + size)";
        ["Forward"] "sum instead of average": area => "1u";
        ["Backward"] "gradient without the area": area => "1u";
        ["Backward"] "first window left out": "row = rows.x" => "row = rows.x + 1u";
    }
}
