//! Sums for the weight's gradient, over some rows of windows.
//!
//! Sums are `[kernel position and channel, filter]`. Cells are read in place, one at a time, and
//! multiplied with vectors of `dy`, of which a strip is copied to a buffer. A tile of eight kernel
//! positions and two vectors of filters stays in registers for all windows, which are added in
//! order.

use std::cell::RefCell;

use pulp::{Arch, Simd, WithSimd};

use super::correlate::{Reach, STRIP, panel};
use crate::plan::Floats;

thread_local! {
    /// Kept from call to call, so that a step allocates nothing.
    static OUTPUTS: RefCell<Floats> = const { RefCell::new(Floats::new()) };
}

/// Rows of windows, and the destination of their products.
pub(super) struct Lines<'a> {
    /// The cells, starting with the first window.
    pub(super) frame: &'a [f32],
    pub(super) reach: Reach,
    /// Rows of cells from one row of windows to the next.
    pub(super) stride: usize,
    /// Windows per row.
    pub(super) windows: usize,
    /// Gradients of the windows, `[window, filter]`.
    pub(super) dy: &'a [f32],
    pub(super) filters: usize,
    /// `[kernel position and channel, filter]`, to which products are added.
    pub(super) sums: &'a mut [f32],
}

impl Lines<'_> {
    pub(super) fn run(self) {
        OUTPUTS.with_borrow_mut(|outputs| Arch::new().dispatch(WithBuffer { lines: self, outputs }));
    }
}

/// The rows of windows with the current strip of `dy`, `[window, filter]`, padded with zeros after
/// the last filter.
struct WithBuffer<'a> {
    lines: Lines<'a>,
    outputs: &'a mut Floats,
}

impl WithSimd for WithBuffer<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (width, filters) = (STRIP * S::F32_LANES, self.lines.filters);
        for column in (0..filters).step_by(width) {
            self.pack(column, width);
            if filters - column > S::F32_LANES {
                self.strip::<S, 2>(simd, column);
            } else {
                self.strip::<S, 1>(simd, column);
            }
        }
    }
}

impl WithBuffer<'_> {
    #[inline(always)]
    fn pack(&mut self, column: usize, width: usize) {
        let Lines { dy, filters, .. } = self.lines;
        let filled = width.min(filters - column);
        self.outputs.resize(dy.len() / filters * width);
        for (packed, row) in self.outputs.chunks_exact_mut(width).zip(dy.chunks_exact(filters)) {
            packed[..filled].copy_from_slice(&row[column..column + filled]);
            packed[filled..].fill(0.0);
        }
    }

    #[inline(always)]
    fn strip<S: Simd, const N: usize>(&mut self, simd: S, column: usize) {
        let Reach { runs, length, .. } = self.lines.reach;
        for run in 0..runs {
            let mut term = 0;
            while term < length {
                let terms = panel::<S>(length - term);
                match terms {
                    8 => self.tile::<S, 8, N>(simd, run, term, column),
                    4 => self.tile::<S, 4, N>(simd, run, term, column),
                    2 => self.tile::<S, 2, N>(simd, run, term, column),
                    _ => self.tile::<S, 1, N>(simd, run, term, column),
                }
                term += terms;
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        run: usize,
        term: usize,
        column: usize,
    ) {
        let Lines { frame, reach: Reach { length, row, step, .. }, stride, windows, filters, .. } =
            self.lines;
        let (outputs, _) = S::as_simd_f32s(self.outputs);
        let mut sums = [[simd.splat_f32s(0.0); N]; M];
        for (line, outputs) in outputs.chunks_exact(windows * STRIP).enumerate() {
            let cells = &frame[(line * stride + run) * row + term..];
            for (window, outputs) in outputs.chunks_exact(STRIP).enumerate() {
                let cells = &cells[window * step..][..M];
                for (sums, &cell) in sums.iter_mut().zip(cells) {
                    let cell = simd.splat_f32s(cell);
                    for (sum, &output) in sums.iter_mut().zip(outputs) {
                        *sum = simd.mul_add_e_f32s(cell, output, *sum);
                    }
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            let found = &mut self.lines.sums[(run * length + term + i) * filters..][..filters];
            for (found, &sum) in found[column..].chunks_mut(S::F32_LANES).zip(sums) {
                simd.partial_store_f32s(found, simd.add_f32s(simd.partial_load_f32s(found), sum));
            }
        }
    }
}
