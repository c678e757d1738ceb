//! Form nt on the CPU: every element is the dot product of a row of a and a row of b.
//!
//! Both rows are contiguous, so vectors of terms are multiplied and added lane by lane, four rows
//! of a with four rows of b in registers, and the lanes are added up at the end. Nothing is packed
//! or transposed. Long rows are processed in spans, so that the eight rows in use stay in the
//! nearest cache. The order of every sum depends only on the width of the vectors, not on threads.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::parallel::parallel;
use crate::ops::matmul::Size;

/// Approximate number of terms of a span: eight rows of it fill three quarters of a cache of 32
/// KiB.
const SPAN: usize = 768;

/// Terms of each span of a row of `k`: whole vectors of any width, without a short last span, for
/// which adding up the lanes would take longer than its terms.
const fn span(k: usize) -> usize {
    let spans = (k + SPAN / 2) / SPAN;
    if spans <= 1 { k } else { k.div_ceil(spans).next_multiple_of(64) }
}

/// Rows of a that one task multiplies with all of b. They stay in the nearest cache, together with
/// four rows of b.
const TASK_ROWS: usize = 8;

/// `y[m, n] = finish(n, sum over k of a[m, k] b[n, k])`.
pub(super) fn product(
    size: Size,
    y: &mut [f32],
    a: &[f32],
    b: &[f32],
    finish: impl Fn(usize, f32) -> f32 + Copy + Sync,
) {
    let Size { m, n, k } = size;
    let task = |m: usize, y: &mut [f32], a: &[f32]| rows(Size { m, n, k }, y, a, b, finish);
    if parallel(size) && m > TASK_ROWS {
        y.par_chunks_mut(TASK_ROWS * n).zip(a.par_chunks(TASK_ROWS * k)).for_each(|(y, a)| {
            task(y.len() / n, y, a);
        });
    } else {
        task(m, y, a);
    }
}

/// The same on the calling thread only.
pub(super) fn rows(size: Size, y: &mut [f32], a: &[f32], b: &[f32], finish: impl Fn(usize, f32) -> f32) {
    Arch::new().dispatch(Rows { size, y, a, b, finish });
}

struct Rows<'a, F> {
    size: Size,
    y: &'a mut [f32],
    a: &'a [f32],
    b: &'a [f32],
    finish: F,
}

impl<F: Fn(usize, f32) -> f32> WithSimd for Rows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let k = self.size.k;
        let span = span(k);
        let mut begin = 0;
        while begin < k {
            let end = (begin + span).min(k);
            let mut column = 0;
            while column < self.size.n {
                // Sixteen sums and eight operands need more registers than some processors have.
                if S::REGISTER_COUNT >= 32 && column + 4 <= self.size.n {
                    self.columns::<S, 4>(simd, column, begin..end);
                    column += 4;
                } else if column + 2 <= self.size.n {
                    self.columns::<S, 2>(simd, column, begin..end);
                    column += 2;
                } else {
                    self.columns::<S, 1>(simd, column, begin..end);
                    column += 1;
                }
            }
            begin = end;
        }
    }
}

impl<F: Fn(usize, f32) -> f32> Rows<'_, F> {
    /// Computes `N` columns of all rows, over one span.
    #[inline(always)]
    fn columns<S: Simd, const N: usize>(&mut self, simd: S, column: usize, span: std::ops::Range<usize>) {
        let mut row = 0;
        while row + 4 <= self.size.m {
            self.tile::<S, 4, N>(simd, row, column, span.clone());
            row += 4;
        }
        while row < self.size.m {
            self.tile::<S, 1, N>(simd, row, column, span.clone());
            row += 1;
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
        span: std::ops::Range<usize>,
    ) {
        let Size { n, k, .. } = self.size;
        let a: [_; M] = std::array::from_fn(|i| {
            S::as_simd_f32s(&self.a[(row + i) * k + span.start..(row + i) * k + span.end])
        });
        let b: [_; N] = std::array::from_fn(|j| {
            S::as_simd_f32s(&self.b[(column + j) * k + span.start..(column + j) * k + span.end])
        });
        let mut sums = [[simd.splat_f32s(0.0); N]; M];
        let vectors = a[0].0.len();
        // Slices of equal length let the compiler remove bounds checks from the loop.
        let a_vectors: [_; M] = std::array::from_fn(|i| &a[i].0[..vectors]);
        let b_vectors: [_; N] = std::array::from_fn(|j| &b[j].0[..vectors]);
        for term in 0..vectors {
            let b_term: [_; N] = std::array::from_fn(|j| b_vectors[j][term]);
            for i in 0..M {
                let a_term = a_vectors[i][term];
                for j in 0..N {
                    sums[i][j] = simd.mul_add_e_f32s(a_term, b_term[j], sums[i][j]);
                }
            }
        }
        if !a[0].1.is_empty() {
            let b_term: [_; N] = std::array::from_fn(|j| simd.partial_load_f32s(b[j].1));
            for i in 0..M {
                let a_term = simd.partial_load_f32s(a[i].1);
                for j in 0..N {
                    sums[i][j] = simd.mul_add_e_f32s(a_term, b_term[j], sums[i][j]);
                }
            }
        }
        let (first, last) = (span.start == 0, span.end == k);
        for (i, sums) in sums.iter().enumerate() {
            let y = &mut self.y[(row + i) * n + column..][..N];
            for (j, (y, &lanes)) in y.iter_mut().zip(sums).enumerate() {
                let sum = simd.reduce_sum_f32s(lanes);
                let sum = if first { sum } else { *y + sum };
                *y = if last { (self.finish)(column + j, sum) } else { sum };
            }
        }
    }
}
