//! Cases of addition: one rounding, the same everywhere.

use shadegrad::ops::add;

use super::lengths;
use crate::bench::{Bench, Case, Cases};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};

#[derive(Debug)]
struct Add {
    length: usize,
    range: f32,
}

impl Case for Add {
    fn record(&self, bench: &mut Bench) {
        let &Add { length, range } = self;
        let [a_values, b_values] = [(); 2].map(|()| bench.numbers.floats(length, range));
        let a = bench.handed("a", [length], &a_values);
        let b = bench.handed("b", [length], &b_values);
        let y = add::forward(bench.plan, a, b);
        bench.expect("y", y, Tolerance::rounded(f64::from(range)), move || {
            a_values.iter().zip(&b_values).map(|(&a, &b)| f64::from(a) + f64::from(b)).collect()
        });
    }
}

pub fn cases() -> Cases {
    let sizes = [UNIT, LARGE, TINY]
        .into_iter()
        .flat_map(|range| lengths().into_iter().map(move |length| (length, range)));
    // The last has more than 65,535 workgroups of 256.
    let sizes = sizes.chain([(65_536 * 256 + 77, UNIT)]);
    sizes.map(|(length, range)| Box::new(Add { length, range }) as Box<dyn Case>).collect()
}
