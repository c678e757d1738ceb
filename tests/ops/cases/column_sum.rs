//! Cases of the column sum.

use shadegrad::ops::column_sum;

use crate::bench::{Cases, boxed, case};
use crate::compare::Tolerance;
use crate::numbers::{LARGE, TINY, UNIT};
use crate::reference;
use crate::wrong_kernels::{Edit, edits};

case!(ColumnSum { rows: usize, columns: usize, range: f32 }, |bench| {
    let (x, wide) = bench.noise("x", [rows, columns], range);
    let y = column_sum::forward(bench.plan, x);
    let tolerance = Tolerance::sum(rows, f64::from(range) * (rows as f64).sqrt());
    let factor = 1.0 / bench.gradient_scale(1);
    bench.expect("y", y, tolerance.times(factor), move || {
        reference::column_sum(&wide, columns).into_iter().map(|sum| factor * sum).collect()
    });
});

pub fn cases() -> Cases {
    let mut shapes = Vec::new();
    // One workgroup sums 16 columns with 16 lanes per column.
    for rows in [1, 2, 15, 16, 17, 33, 101] {
        for columns in [1, 3, 10, 15, 16, 17, 33, 127] {
            shapes.push((rows, columns, UNIT));
        }
    }
    for range in [LARGE, TINY] {
        shapes.extend([(1, 1, range), (64, 10, range), (257, 129, range)]);
    }
    // A part and its neighbours, many parts and many columns, and more than 65,535 workgroups.
    for rows in [column_sum::PART - 1, column_sum::PART, column_sum::PART + 1, 2 * column_sum::PART + 77] {
        shapes.extend([(rows, 1, UNIT), (rows, 37, UNIT)]);
    }
    shapes.extend([(300_000, 3, UNIT), (5_000_001, 1, UNIT), (1000, 784, UNIT), (2, 65_536 * 16 + 5, UNIT)]);
    boxed(shapes.into_iter().map(|(rows, columns, range)| ColumnSum { rows, columns, range }))
}

/// Wrong kernels, each with the cases that must catch it.
pub fn edits() -> Vec<Edit> {
    edits! {
        [] "off by one row": "x[row * params.columns + column]" => "x[(row + 1u) * params.columns + column]";
        [] "stale output added": "params.columns + column] = sums" => "params.columns + column] += sums";
        in F16 ["rows: 17"] "sum with the scale": " / gradient_scale()" => "";
    }
}
