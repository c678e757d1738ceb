//! Sums over windows, one row of windows at a time: the forward pass, and the gradient of the map,
//! which is a forward pass of `dy`.
//!
//! The part of a window in one row of cells is contiguous in memory, all channels of all its
//! columns: a *run*. So patches are never copied: cells of eight neighbouring windows are read in
//! place and multiplied with a strip of weights, two vectors of filters wide. Every sum is in the
//! order of the weights' terms.

use pulp::{Arch, Simd, WithSimd};

use crate::plan::Floats;

/// Vectors side by side in a strip.
pub(super) const STRIP: usize = 2;

/// The part of a frame that a window covers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Number of rows of cells.
    pub(super) runs: usize,
    /// Elements of a row that the window covers.
    pub(super) length: usize,
    /// Elements from one row to the next.
    pub(super) row: usize,
    /// Elements from one window to the next.
    pub(super) step: usize,
}

/// Weights in the order of their use: strips of neighbouring columns, each `[term, column]`, padded
/// with zeros after the last column.
#[derive(Debug, Default)]
pub(super) struct Strips {
    terms: usize,
    columns: usize,
    floats: Floats,
}

impl Strips {
    /// Copies the weights; `at` returns the weight of a term and a column.
    pub(super) fn pack(&mut self, terms: usize, columns: usize, at: impl Fn(usize, usize) -> f32) {
        let width = Arch::new().dispatch(Width);
        (self.terms, self.columns) = (terms, columns);
        self.floats.resize(terms * columns.next_multiple_of(width));
        // A phase of a window that is smaller than its stride may have no terms, and then no
        // floats.
        for (strip, floats) in self.floats.chunks_exact_mut((terms * width).max(1)).enumerate() {
            for (term, floats) in floats.chunks_exact_mut(width).enumerate() {
                for (column, float) in (strip * width..).zip(floats) {
                    *float = if column < columns { at(term, column) } else { 0.0 };
                }
            }
        }
    }
}

/// Columns of a strip.
struct Width;

impl WithSimd for Width {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        STRIP * S::F32_LANES
    }
}

/// The epilogue of a sum.
#[derive(Clone, Copy, Debug)]
pub(super) enum Finish<'a> {
    /// `y = sum + bias`, then ReLU if `relu`.
    Bias { bias: &'a [f32], relu: bool },
    /// `y = sum where mask > 0, else 0`; the mask starts at the same element as `y`.
    Mask(&'a [f32]),
    /// `y = sum`
    Store,
}

/// A row of neighbouring windows whose sums are computed.
pub(super) struct Line<'a> {
    /// The cells, starting with the first window.
    pub(super) frame: &'a [f32],
    pub(super) reach: Reach,
    pub(super) strips: &'a Strips,
    pub(super) windows: usize,
    /// The outputs, starting with the first window. Those of the next window are `y_step` elements
    /// further on.
    pub(super) y: &'a mut [f32],
    pub(super) y_step: usize,
    pub(super) finish: Finish<'a>,
}

impl Line<'_> {
    pub(super) fn run(self) {
        Arch::new().dispatch(self);
    }
}

impl WithSimd for Line<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for column in (0..self.strips.columns).step_by(STRIP * S::F32_LANES) {
            if self.strips.columns - column > S::F32_LANES {
                self.strip::<S, 2>(simd, column);
            } else {
                self.strip::<S, 1>(simd, column);
            }
        }
    }
}

/// Number of rows of the next panel if `left` rows remain: a power of two that fits the processor's
/// registers.
#[inline(always)]
pub(super) fn panel<S: Simd>(left: usize) -> usize {
    let most = if S::REGISTER_COUNT >= 32 { 8 } else { 4 };
    if left >= most { most } else { 1 << left.ilog2() }
}

impl Line<'_> {
    /// Computes all windows with the strip at `column`, whose first `N` vectors contain columns.
    #[inline(always)]
    fn strip<S: Simd, const N: usize>(&mut self, simd: S, column: usize) {
        let mut window = 0;
        while window < self.windows {
            let rows = panel::<S>(self.windows - window);
            match rows {
                8 => self.tile::<S, 8, N>(simd, window, column),
                4 => self.tile::<S, 4, N>(simd, window, column),
                2 => self.tile::<S, 2, N>(simd, window, column),
                _ => self.tile::<S, 1, N>(simd, window, column),
            }
            window += rows;
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const M: usize, const N: usize>(&mut self, simd: S, window: usize, column: usize) {
        let Reach { runs, length, row, step } = self.reach;
        let terms = self.strips.terms;
        let (strip, _) = S::as_simd_f32s(&self.strips.floats[column * terms..]);
        let mut sums = [[simd.splat_f32s(0.0); N]; M];
        for run in 0..runs {
            let begin = run * row + window * step;
            // Slices of equal length let the compiler remove bounds checks from the loop.
            let cells: [&[f32]; M] = std::array::from_fn(|i| &self.frame[begin + i * step..][..length]);
            let weights = strip[run * length * STRIP..][..length * STRIP].chunks_exact(STRIP);
            for (term, weights) in (0..length).zip(weights) {
                for (sums, cells) in sums.iter_mut().zip(cells) {
                    let cell = simd.splat_f32s(cells[term]);
                    for (sum, &weight) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_e_f32s(cell, weight, *sum);
                    }
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                let begin = column + v * S::F32_LANES;
                let columns = begin..(begin + S::F32_LANES).min(self.strips.columns);
                self.finish(simd, (window + i) * self.y_step, columns, sum);
            }
        }
    }

    /// Applies the epilogue to neighbouring columns of a window; `first` is the index in y of the
    /// window's first column.
    #[inline(always)]
    fn finish<S: Simd>(&mut self, simd: S, first: usize, columns: std::ops::Range<usize>, sum: S::f32s) {
        let zero = simd.splat_f32s(0.0);
        let place = first + columns.start..first + columns.end;
        let value = match self.finish {
            Finish::Store => sum,
            Finish::Bias { bias, relu } => {
                let sum = simd.add_f32s(sum, simd.partial_load_f32s(&bias[columns]));
                // Unlike a maximum, this keeps NaN.
                if relu { simd.select_f32s(simd.less_than_f32s(sum, zero), zero, sum) } else { sum }
            }
            Finish::Mask(mask) => {
                let mask = simd.partial_load_f32s(&mask[place.clone()]);
                simd.select_f32s(simd.greater_than_f32s(mask, zero), sum, zero)
            }
        };
        simd.partial_store_f32s(&mut self.y[place], value);
    }
}
