//! Lines of sums over windows: the forward pass, and the gradient of the map, which is a forward
//! pass of `dy`.
//!
//! What a window covers of one row of cells lies together in memory, all channels of all its
//! columns: a *run*. So no patch is ever copied: the cells of eight neighbouring windows are read
//! where they are and multiplied with a strip of weights, two vectors of filters wide. The order of
//! every sum is that of the weights' terms.

use pulp::{Arch, Simd, WithSimd};

use crate::plan::Floats;

/// Vectors side by side in a strip.
pub(super) const STRIP: usize = 2;

/// What a window covers of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Rows of cells.
    pub(super) runs: usize,
    /// Elements that it covers of a row.
    pub(super) length: usize,
    /// Elements from one row to the next.
    pub(super) row: usize,
    /// Elements from one window to the next.
    pub(super) step: usize,
}

/// Weights in the order in which they are used: strips of neighbouring columns, each `[term,
/// column]`, with zeros past the last column.
#[derive(Debug, Default)]
pub(super) struct Strips {
    terms: usize,
    columns: usize,
    floats: Floats,
}

impl Strips {
    /// Copies the weights; `at` finds them by term and column.
    pub(super) fn pack(&mut self, terms: usize, columns: usize, at: impl Fn(usize, usize) -> f32) {
        let width = Arch::new().dispatch(Width);
        (self.terms, self.columns) = (terms, columns);
        self.floats.resize(terms * columns.next_multiple_of(width));
        // A phase of a window that is smaller than its stride may have no terms, hence no floats.
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

/// What becomes of a sum.
#[derive(Clone, Copy, Debug)]
pub(super) enum Finish<'a> {
    /// `y = sum + bias`, then ReLU if `relu`.
    Bias { bias: &'a [f32], relu: bool },
    /// `y = sum where mask > 0, else 0`; the mask begins where `y` does.
    Mask(&'a [f32]),
    /// `y = sum`
    Store,
}

/// Neighbouring windows whose sums are computed.
pub(super) struct Line<'a> {
    /// From where the first window begins.
    pub(super) frame: &'a [f32],
    pub(super) reach: Reach,
    pub(super) strips: &'a Strips,
    pub(super) windows: usize,
    /// From where the first window's sums go; those of the next follow `y_step` elements later.
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

/// Rows of the next panel where `left` are left: a power of two, that fits the processor's
/// registers.
#[inline(always)]
pub(super) fn panel<S: Simd>(left: usize) -> usize {
    let most = if S::REGISTER_COUNT >= 32 { 8 } else { 4 };
    if left >= most { most } else { 1 << left.ilog2() }
}

impl Line<'_> {
    /// Takes all windows through the strip at `column`, of which the first `N` vectors have
    /// columns.
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
            // Slices of one length let the compiler leave the bounds checks out of the loop.
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

    /// Finishes neighbouring columns of a window whose first column is at `first` in y.
    #[inline(always)]
    fn finish<S: Simd>(&mut self, simd: S, first: usize, columns: std::ops::Range<usize>, sum: S::f32s) {
        let zero = simd.splat_f32s(0.0);
        let place = first + columns.start..first + columns.end;
        let value = match self.finish {
            Finish::Store => sum,
            Finish::Bias { bias, relu } => {
                let sum = simd.add_f32s(sum, simd.partial_load_f32s(&bias[columns]));
                // Not the larger of both: what is not a number stays so.
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
