//! Forms nn and tn on the CPU: rows of the product are sums of multiples of rows of b.
//!
//! A strip of b, two vectors wide, is copied into a contiguous buffer that stays in the nearest
//! cache. So are the rows of a, once for all strips. For eight rows of the product at a time, the
//! multiples of the strip's rows are summed in registers, and the epilogue runs there, too: the
//! optimizer's update of a weight reads and writes that weight once, and its gradient is never
//! stored. Every sum is in the order of k.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::parallel::parallel;
use crate::ops::matmul::Size;
use crate::plan::Floats;

/// Rows of the product per task. At the upper limit, a task's copy of a fits the second-level
/// cache; at the lower limit, the copy of b, which every task makes, is still a small part of its
/// work.
const TASK_ROWS: RangeInclusive<usize> = 32..=64;

/// Rows of a panel, if there are enough registers for its sums.
const PANEL: usize = 8;

/// Vectors side by side in a strip.
const STRIP: usize = 2;

/// Copies of operands in the order of their use.
#[derive(Debug, Default)]
struct Packed {
    /// All rows of the task, in panels.
    a: Floats,
    /// The current strip.
    b: Floats,
}

thread_local! {
    /// Kept from call to call, so that a step allocates nothing.
    static PACKED: RefCell<Packed> = RefCell::default();
}

/// How operand a is read: `a[row * row_step + term * term_step]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    pub(super) row: usize,
    pub(super) term: usize,
}

/// The epilogue of a product `p` with output `y`, in row-major order. All matrices here have y's
/// shape.
#[derive(Debug)]
pub(super) enum Finish<'a> {
    /// `y = p`
    Store,
    /// `y = p where mask > 0, else 0`
    Mask(&'a [f32]),
    /// `y = y - factor p - decayed y`
    Subtract { factor: f32, decayed: f32 },
    /// SGD with momentum, as in [`sgd`](crate::ops::sgd).
    Momentum { velocity: &'a mut [f32], rate: f32, decay: f32, factor: f32, nesterov: bool },
}

impl<'a> Finish<'a> {
    /// Splits it into epilogues for chunks of `length` elements.
    fn chunks(self, length: usize, count: usize) -> Vec<Finish<'a>> {
        match self {
            Finish::Store => (0..count).map(|_| Finish::Store).collect(),
            Finish::Mask(mask) => mask.chunks(length).map(Finish::Mask).collect(),
            Finish::Subtract { factor, decayed } => {
                (0..count).map(|_| Finish::Subtract { factor, decayed }).collect()
            }
            Finish::Momentum { velocity, rate, decay, factor, nesterov } => velocity
                .chunks_mut(length)
                .map(|velocity| Finish::Momentum { velocity, rate, decay, factor, nesterov })
                .collect(),
        }
    }
}

/// `y[m, n] = finish(sum over k of a(m, k) b[k, n])`.
pub(super) fn product(size: Size, y: &mut [f32], a: &[f32], steps: Steps, b: &[f32], finish: Finish<'_>) {
    let Size { m, n, k } = size;
    let threads = rayon::current_num_threads();
    let task_rows = m.div_ceil(threads).next_multiple_of(PANEL).clamp(*TASK_ROWS.start(), *TASK_ROWS.end());
    let task = |first: usize, y: &mut [f32], finish: Finish<'_>| {
        rows(Size { m: y.len() / n, n, k }, y, &a[first * steps.row..], steps, b, finish);
    };
    if parallel(size) && m > task_rows {
        let finishes = finish.chunks(task_rows * n, m.div_ceil(task_rows));
        y.par_chunks_mut(task_rows * n).zip(finishes).enumerate().for_each(|(index, (y, finish))| {
            task(index * task_rows, y, finish);
        });
    } else {
        task(0, y, finish);
    }
}

/// The same on the calling thread only.
pub(super) fn rows(size: Size, y: &mut [f32], a: &[f32], steps: Steps, b: &[f32], finish: Finish<'_>) {
    PACKED.with_borrow_mut(|packed| Arch::new().dispatch(Rows { size, y, a, steps, b, finish, packed }));
}

struct Rows<'a> {
    size: Size,
    y: &'a mut [f32],
    a: &'a [f32],
    steps: Steps,
    b: &'a [f32],
    finish: Finish<'a>,
    packed: &'a mut Packed,
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // Sixteen sums need more registers than some processors have.
        let panel = if S::REGISTER_COUNT >= 32 { PANEL } else { PANEL / 2 };
        let (width, n) = (STRIP * S::F32_LANES, self.size.n);
        self.pack_a(panel);
        self.packed.b.resize(self.size.k * width);
        let mut column = 0;
        while column < n {
            self.pack_b(column, width);
            for row in (0..self.size.m).step_by(panel) {
                match panel_rows(self.size.m - row, panel) {
                    8 => self.tile::<S, 8>(simd, row, column),
                    4 => self.tile::<S, 4>(simd, row, column),
                    2 => self.tile::<S, 2>(simd, row, column),
                    _ => self.tile::<S, 1>(simd, row, column),
                }
            }
            column += width;
        }
    }
}

/// Number of rows of the next panel if `left` rows remain: a power of two, at most `panel`.
#[inline(always)]
fn panel_rows(left: usize, panel: usize) -> usize {
    left.min(panel).next_power_of_two()
}

impl Rows<'_> {
    /// Copies a into panels of rows, each `[term, row]`, padded with zeros after the last row.
    #[inline(always)]
    fn pack_a(&mut self, panel: usize) {
        let Size { m, k, .. } = self.size;
        let packed = &mut self.packed.a;
        packed.resize(m.next_multiple_of(panel) * k);
        for row in (0..m).step_by(panel) {
            let rows = panel_rows(m - row, panel);
            let filled = rows.min(m - row);
            let target = &mut packed[row * k..][..rows * k];
            for (term, target) in target.chunks_exact_mut(rows).enumerate() {
                let (values, padding) = target.split_at_mut(filled);
                for (i, value) in values.iter_mut().enumerate() {
                    *value = self.a[(row + i) * self.steps.row + term * self.steps.term];
                }
                padding.fill(0.0);
            }
        }
    }

    /// Copies the strip of b that starts at `column`, padded with zeros after the last column.
    #[inline(always)]
    fn pack_b(&mut self, column: usize, width: usize) {
        let n = self.size.n;
        let filled = width.min(n - column);
        for (packed, row) in self.packed.b.chunks_exact_mut(width).zip(self.b.chunks_exact(n)) {
            packed[..filled].copy_from_slice(&row[column..column + filled]);
            packed[filled..].fill(0.0);
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const M: usize>(&mut self, simd: S, row: usize, column: usize) {
        let Size { m, n, k } = self.size;
        let mut sums = [[simd.splat_f32s(0.0); STRIP]; M];
        let (strip, _) = S::as_simd_f32s(&self.packed.b);
        let panel = &self.packed.a[row * k..][..M * k];
        for (a, b) in panel.chunks_exact(M).zip(strip.chunks_exact(STRIP)) {
            for (sums, &a) in sums.iter_mut().zip(a) {
                let a = simd.splat_f32s(a);
                for (sum, &b) in sums.iter_mut().zip(b) {
                    *sum = simd.mul_add_e_f32s(a, b, *sum);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate().take(m - row) {
            for (v, &sum) in sums.iter().enumerate() {
                let begin = column + v * S::F32_LANES;
                if begin < n {
                    let end = (begin + S::F32_LANES).min(n);
                    self.finish((row + i) * n + begin..(row + i) * n + end, simd, sum);
                }
            }
        }
    }

    /// Applies the epilogue to neighbouring elements of a row; `range` is their position in y.
    #[inline(always)]
    fn finish<S: Simd>(&mut self, range: std::ops::Range<usize>, simd: S, p: S::f32s) {
        let y = &mut self.y[range.clone()];
        let value = match &mut self.finish {
            Finish::Store => p,
            Finish::Mask(mask) => {
                let mask = simd.partial_load_f32s(&mask[range]);
                let zero = simd.splat_f32s(0.0);
                simd.select_f32s(simd.greater_than_f32s(mask, zero), p, zero)
            }
            Finish::Subtract { factor, decayed } => {
                let old = simd.partial_load_f32s(y);
                let change = simd.mul_f32s(simd.splat_f32s(*decayed), old);
                let change = simd.mul_add_e_f32s(simd.splat_f32s(*factor), p, change);
                simd.sub_f32s(old, change)
            }
            Finish::Momentum { velocity, rate, decay, factor, nesterov } => {
                let v = &mut velocity[range];
                let old = simd.partial_load_f32s(y);
                let factor = simd.splat_f32s(*factor);
                let g = simd.mul_add_e_f32s(simd.splat_f32s(*decay), old, p);
                let new_v = simd.mul_add_e_f32s(factor, simd.partial_load_f32s(v), g);
                simd.partial_store_f32s(v, new_v);
                let direction = if *nesterov { simd.mul_add_e_f32s(factor, new_v, g) } else { new_v };
                simd.sub_f32s(old, simd.mul_f32s(simd.splat_f32s(*rate), direction))
            }
        };
        simd.partial_store_f32s(y, value);
    }
}
