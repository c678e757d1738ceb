//! Column sum: `y[n] = sum over m of x[m, n]`, the gradient of a bias that was added to every row.
//!
//! Long columns are split into parts of [`PART`] rows. Their sums are the rows of a matrix that is
//! summed in the same way. Each part keeps a thread, or a workgroup, busy. Where parts begin
//! depends only on the shape.
//!
//! An f16 gradient has a [scale](crate::plan::StepRecord::gradient_scale), which the op removes.
//!
//! The op's own gradient is the bias's forward pass, `dx[m, n] = dy[n]`, which is a matmul
//! epilogue.
//!
//! ```
//! use shadegrad::ops::column_sum;
//! use shadegrad::plan::{Plan, Role};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let x = plan.declare("x", Role::Input, Element::F32, [8, 3]);
//! plan.begin("example");
//! let y = column_sum::forward(&mut plan, x);
//! assert_eq!(y.shape().sizes(), [3]);
//! ```

use rayon::prelude::*;

use super::frame::op;
use crate::kernel::shaders::{self, ColumnSumParams};
use crate::kernel::{MOST_GROUPS, fold, iterations};
use crate::plan::{Operands, Plan};
use crate::tensor::Tensor;

/// Records `y = column sums of x` and returns `y`, `[columns]`. `x` is `[rows, columns]`, or a map,
/// each of whose cells is a row.
///
/// # Panics
/// If `x` is neither a matrix nor a map, or if it has more than [`MOST_ROWS`] rows.
#[track_caller]
pub fn forward(plan: &mut Plan, x: Tensor) -> Tensor {
    let [rows, columns] = matrix(x);
    x.expect_floats("x", x.shape());
    assert!(rows <= MOST_ROWS, "column sums of {rows} rows, the limit is {MOST_ROWS}");
    let parts = rows.div_ceil(PART);
    let partials = (parts > 1).then(|| plan.scratch("column_sum.partials", [parts, columns]));
    let y = plan.scratch("column_sum.y", [columns]);
    let dispatch = |x: Tensor, y: Tensor, part: usize| {
        let [rows, columns] = matrix(x);
        let params = ColumnSumParams { rows: rows as u32, columns: columns as u32, part: part as u32 };
        let [across, down, _] = fold(columns, COLUMNS);
        let grid = [across, down, rows.div_ceil(part) as u32];
        shaders::COLUMN_SUM.dispatch(params, &[x, y], grid, iterations_for(part.div_ceil(LANES as usize)))
    };
    let kernels = match partials {
        None => vec![dispatch(x, y, rows)],
        Some(partials) => vec![dispatch(x, partials, PART), dispatch(partials, y, parts)],
    };
    let mut operands = Operands::new(&[x], &[y]);
    operands.writes.extend(partials);
    plan.record(op("column_sum", operands, kernels, move |memory, step| {
        let scale = step.gradient_scale(x);
        let (x, mut y) = (memory.f32(x), memory.f32_mut(y));
        let copy = |x: &[f32], y: &mut [f32], scale: f32| {
            sums(x, columns, |first, sums| {
                y[first..].iter_mut().zip(sums).for_each(|(y, sum)| *y = sum / scale);
            });
        };
        let Some(partials) = partials else { return copy(&x, &mut y, scale) };
        let mut partials = memory.f32_mut(partials);
        let parts = partials.par_chunks_exact_mut(columns).zip(x.par_chunks(PART * columns));
        parts.for_each(|(partial, x)| copy(x, partial, scale));
        copy(&partials, &mut y, 1.0);
    }));
    y
}

/// Rows and columns of a matrix, or of a map read as a matrix.
#[track_caller]
fn matrix(x: Tensor) -> [usize; 2] {
    let shape = x.shape();
    let [_, .., columns] = *shape.sizes() else {
        panic!("x must be a matrix or a map, but has shape {shape:?}");
    };
    [x.len() / columns, columns]
}

/// Columns that one workgroup sums, and lanes that share the rows of a column.
const COLUMNS: u32 = shaders::COLUMN_SUM.workgroup()[0];
const LANES: u32 = shaders::COLUMN_SUM.workgroup()[1];

/// Rows of a part.
pub const PART: usize = 2048;

/// Most rows: a dispatch has one layer of workgroups per part.
pub const MOST_ROWS: usize = PART * MOST_GROUPS as usize;

/// Loop iterations of an invocation that sums this many rows of a column, and then the sums of the
/// lanes.
const fn iterations_for(rows: usize) -> u64 {
    iterations(rows, 0) + iterations(LANES.ilog2() as usize, 0)
}

/// The column sums of `x`, `[rows, columns]`, on the CPU. `finish` receives a few neighbouring sums
/// at a time, with the index of the first.
#[inline(always)]
pub(super) fn sums(x: &[f32], columns: usize, mut finish: impl FnMut(usize, &[f32])) {
    for first in (0..columns).step_by(LANES as usize) {
        let width = (columns - first).min(LANES as usize);
        let mut sums = [0.0; LANES as usize];
        // Sixteen rows are summed separately first. The error grows with the square root of the
        // number of sums, which is sixteen times smaller.
        for rows in x.chunks(16 * columns) {
            let mut partial = [0.0; LANES as usize];
            for row in rows.chunks_exact(columns) {
                for (sum, &value) in partial.iter_mut().zip(&row[first..first + width]) {
                    *sum += value;
                }
            }
            for (sum, &value) in sums.iter_mut().zip(&partial) {
                *sum += value;
            }
        }
        finish(first, &sums[..width]);
    }
}
