//! Cases of max-pool and its gradient. The maximum is exact; a gradient is a sum of few terms.

use shadegrad::ops::max_pool;

use super::{PoolSize, pools};
use crate::bench::{Bench, Case, Cases, widen};
use crate::compare::Tolerance;
use crate::numbers::UNIT;
use crate::reference;

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

#[derive(Debug)]
struct Forward {
    pool: PoolSize,
    content: Content,
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

impl Case for Forward {
    fn record(&self, bench: &mut Bench) {
        let &Forward { pool, content } = self;
        let values = values(bench, pool, content);
        let x = bench.activation_input("x", pool.shape(), &values);
        let y = max_pool::forward(bench.plan, x, pool.window);
        bench.expect("y", y, Tolerance::EXACT, move || reference::max_pool(pool, &widen(&values)));
    }
}

#[derive(Debug)]
struct Backward {
    pool: PoolSize,
    content: Content,
}

impl Case for Backward {
    fn record(&self, bench: &mut Bench) {
        let &Backward { pool, content } = self;
        let values = values(bench, pool, content);
        // The maximum of f32 numbers is one of them.
        let largest: Vec<f32> =
            reference::max_pool(pool, &widen(&values)).into_iter().map(|largest| largest as f32).collect();
        let gradients = bench.numbers.floats(largest.len(), UNIT);
        let x = bench.activation_input("x", pool.shape(), &values);
        let y = bench.activation_input("y", pool.output(), &largest);
        let dy = bench.activation_input("dy", pool.output(), &gradients);
        let dx = max_pool::backward(bench.plan, x, y, dy, pool.window);
        bench.expect("dx", dx, Tolerance::sum(9, 3.0), move || {
            reference::max_pool_backward(pool, &widen(&values), &widen(&gradients))
        });
    }
}

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
