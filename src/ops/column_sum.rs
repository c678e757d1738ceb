//! Column sum: `y[n] = sum over m of x[m, n]`, the gradient of a bias that was added to every row.
//!
//! Its own gradient is the bias's forward pass, `dx[m, n] = dy[n]`, which is a matmul epilogue.

use std::borrow::Cow;

use super::{GpuFacts, Op, Operands};
use crate::host::HostMemory;
use crate::kernel::{Dispatch, Kernel, MOST_TRIPS, Uniform, fold, read, shader, trips, uniform, write};
use crate::plan::{Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// Records `y = column sums of x`; `x` is `[rows, columns]` or a map, of which every cell is a row; `y` is
/// `[columns]`.
///
/// Panics above [`MOST_ROWS`].
#[track_caller]
pub fn forward(plan: &mut Plan, x: Tensor) -> Tensor {
    let [rows, columns] = matrix(x);
    x.expect("x", Element::F32, x.shape());
    assert!(rows <= MOST_ROWS, "column sums of {rows} rows, {MOST_ROWS} is the most");
    let y = plan.scratch("column_sum.y", [columns]);
    plan.record(ColumnSum { x, y });
    y
}

/// Rows and columns of a matrix, or of a map as one.
#[track_caller]
fn matrix(x: Tensor) -> [usize; 2] {
    let shape = x.shape();
    let [_, .., columns] = *shape.sizes() else {
        panic!("x must be a matrix or a map, but has shape {shape:?}");
    };
    [x.len() / columns, columns]
}

#[derive(Debug)]
struct ColumnSum {
    x: Tensor,
    y: Tensor,
}

uniform! {
    struct Params {
        rows: u32,
        columns: u32,
    }
}

/// Columns that one workgroup sums, and lanes that share the rows of a column.
const COLUMNS: u32 = 16;
const LANES: u32 = 16;

/// Most rows that one invocation's trips are enough for.
pub const MOST_ROWS: usize = LANES as usize * (MOST_TRIPS - trips_for(0)) as usize;

/// Trips of an invocation that sums this many of a column's rows, and then what the lanes found.
const fn trips_for(rows: usize) -> u64 {
    trips(rows, 0) + trips(LANES.ilog2() as usize, 0)
}

static KERNEL: Kernel = Kernel {
    name: Cow::Borrowed("column_sum"),
    source: shader!("loop_bound.wgsl", "column_sum.wgsl"),
    workgroup: [COLUMNS, LANES, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("x"), write("y")]),
    reads_step: false,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    vec![KERNEL.clone()]
}

/// The sums of the columns of `x`, `[rows, columns]`, on the CPU: a few neighbours at a time, each handed to
/// `finish` with the index of the first.
#[inline(always)]
pub(super) fn sums(x: &[f32], columns: usize, mut finish: impl FnMut(usize, &[f32])) {
    for first in (0..columns).step_by(LANES as usize) {
        let width = (columns - first).min(LANES as usize);
        let mut sums = [0.0; LANES as usize];
        // Sixteen rows are summed on their own first: the error grows with the square root of
        // a row count that is that much smaller.
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

impl Op for ColumnSum {
    fn name(&self) -> &'static str {
        "column_sum"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x], &[self.y])
    }

    fn run_on_cpu(&self, memory: &HostMemory, _: &StepRecord) {
        let mut y = memory.f32_mut(self.y);
        let columns = y.len();
        sums(&memory.f32(self.x), columns, |first, sums| y[first..first + sums.len()].copy_from_slice(sums));
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let [rows, columns] = matrix(self.x);
        let params = Params { rows: rows as u32, columns: columns as u32 };
        let trips = trips_for(rows.div_ceil(LANES as usize));
        let grid = fold(columns, COLUMNS);
        vec![Dispatch::new(&KERNEL, params, &[self.x, self.y], grid, trips)]
    }
}
