//! The windows of pools and convolutions, and the cells of a map that they cover.
//!
//! A map is `[batch, height, width, channels]`. Along each axis, window `o` starts at cell
//! `o * stride - padding` and covers `size` cells;
//! `output = (input + 2 padding - size) / stride + 1`, rounded down, as in PyTorch. Cells outside
//! the map are padding.
//!
//! ```
//! use shadegrad::ops::Window;
//!
//! let window = Window { height: 3, width: 3, stride: 2, padding: 1 };
//! assert_eq!(window.output(8, 8), Some([4, 4]));
//! ```

use std::ops::Range;

use crate::kernel::shaders::WindowParams;
use crate::kernel::{MOST_ITERATIONS, iterations};
use crate::tensor::{Shape, Tensor};

/// Size, stride and padding of the window of a pool or a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height of a window in cells.
    pub height: usize,
    /// Width of a window in cells.
    pub width: usize,
    /// Cells from one window to the next, on both axes.
    pub stride: usize,
    /// Cells of padding on each side of the map; for a pool, at most half a window.
    pub padding: usize,
}

impl Window {
    /// A window as high and as wide as `size`.
    pub fn square(size: usize, stride: usize, padding: usize) -> Self {
        Window { height: size, width: size, stride, padding }
    }

    /// The window of a global pool: an entire map of this height and width.
    pub fn whole(height: usize, width: usize) -> Self {
        Window { height, width, stride: 1, padding: 0 }
    }

    /// Output height and width for a map of this height and width; `None` if the window does not
    /// fit.
    pub fn output(&self, height: usize, width: usize) -> Option<[usize; 2]> {
        let [rows, columns] = self.axes(height, width)?;
        Some([rows.output, columns.output])
    }

    /// The axes of a map of this height and width; `None` if the window does not fit.
    pub(super) fn axes(&self, height: usize, width: usize) -> Option<[Axis; 2]> {
        let axis = |input: usize, size: usize| {
            let fits = self.stride > 0 && size > 0;
            let room = (input + 2 * self.padding).checked_sub(size).filter(|_| fits)?;
            let output = room / self.stride + 1;
            Some(Axis { input, size, stride: self.stride, padding: self.padding, output })
        };
        Some([axis(height, self.height)?, axis(width, self.width)?])
    }
}

/// One axis of a map, with its windows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Cells of the map.
    pub input: usize,
    /// Cells of a window.
    pub size: usize,
    /// Cells from one window to the next.
    pub stride: usize,
    /// Cells of padding on each side.
    pub padding: usize,
    /// Number of windows.
    pub output: usize,
}

impl Axis {
    /// The map's cells in window `output`. A window that lies entirely in the padding has none.
    pub(super) fn cells(&self, output: usize) -> Range<usize> {
        let start = output * self.stride;
        let end = (start + self.size).saturating_sub(self.padding).min(self.input);
        start.saturating_sub(self.padding)..end
    }

    /// Whether the windows do not overlap.
    fn is_apart(&self) -> bool {
        self.stride >= self.size || self.output == 1
    }

    /// The most cells between the starts of two neighbouring windows. The territories of the first
    /// and the last window extend to the edges of the map.
    fn longest_territory(&self) -> usize {
        let last = self.input - ((self.output - 1) * self.stride).saturating_sub(self.padding);
        if self.output == 1 { self.input } else { last.max(self.stride) }
    }

    /// Maximum number of windows that cover one cell.
    fn overlap(&self) -> usize {
        self.size.div_ceil(self.stride).min(self.output)
    }
}

/// A map and the windows on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    batch: usize,
    channels: usize,
    pub rows: Axis,
    pub columns: Axis,
}

impl Pool {
    /// The windows on the map `x`.
    ///
    /// # Panics
    /// If `x` is not a map, if the window does not fit it, or if the window is too large for the
    /// loop iterations of one invocation.
    #[track_caller]
    pub(super) fn new(x: Tensor, window: Window) -> Self {
        x.expect_floats("x", x.shape());
        let [batch, height, width, channels] = *x.shape().sizes() else {
            panic!("x must be a map, but has shape {:?}", x.shape());
        };
        // If a window could lie entirely in the padding, it would have no largest cell.
        let covers_cells = 2 * window.padding <= window.height.min(window.width);
        let Some([rows, columns]) = window.axes(height, width).filter(|_| covers_cells) else {
            panic!("{window:?} does not fit x, {:?}", x.shape());
        };
        let pool = Pool { batch, channels, rows, columns };
        let iterations = pool.iterations_over_windows(pool.iterations_over_cells());
        assert!(iterations <= MOST_ITERATIONS, "{window:?} is too large");
        pool
    }

    pub(super) fn input(&self) -> Shape {
        [self.batch, self.rows.input, self.columns.input, self.channels].into()
    }

    pub(super) fn output(&self) -> Shape {
        [self.batch, self.rows.output, self.columns.output, self.channels].into()
    }

    /// Elements of one image's map, before and after the pool.
    pub(super) fn image(&self) -> [usize; 2] {
        [self.input().len() / self.batch, self.output().len() / self.batch]
    }

    /// Cells of a window, padding included.
    pub(super) fn area(&self) -> usize {
        self.rows.size * self.columns.size
    }

    /// Offsets of the cells of a window within one image's map, in order.
    pub(super) fn cells(&self, row: usize, column: usize) -> impl Iterator<Item = usize> {
        let (columns, width, channels) = (self.columns.cells(column), self.columns.input, self.channels);
        self.rows
            .cells(row)
            .flat_map(move |row| columns.clone().map(move |column| (row * width + column) * channels))
    }

    /// The windows of one image, in order: row, column, and the range of their channels in the
    /// output.
    pub(super) fn each_window(&self) -> impl Iterator<Item = (usize, usize, Range<usize>)> {
        let Pool { channels, rows, columns, .. } = *self;
        (0..rows.output).flat_map(move |row| {
            (0..columns.output).map(move |column| {
                let begin = (row * columns.output + column) * channels;
                (row, column, begin..begin + channels)
            })
        })
    }

    /// The same windows with channels counted in fours, and `true`, if the number of channels is a
    /// multiple of four.
    pub(super) fn by_four(&self) -> (Pool, bool) {
        let by_four = self.channels.is_multiple_of(4);
        (Pool { channels: if by_four { self.channels / 4 } else { self.channels }, ..*self }, by_four)
    }

    /// The uniform of a kernel with `length` invocations.
    pub(super) fn params(&self, length: usize) -> WindowParams {
        let [rows, columns] = [self.rows, self.columns];
        WindowParams {
            length: length as u32,
            channels: self.channels as u32,
            height: rows.input as u32,
            width: columns.input as u32,
            output_height: rows.output as u32,
            output_width: columns.output as u32,
            window_height: rows.size as u32,
            window_width: columns.size as u32,
            stride: rows.stride as u32,
            padding: rows.padding as u32,
        }
    }

    /// Loop iterations over a window's cells.
    pub(super) fn iterations_over_cells(&self) -> u64 {
        iterations(self.rows.size, iterations(self.columns.size, 0))
    }

    /// Loop iterations over the windows that cover a cell, with `inside` in each.
    pub(super) fn iterations_over_windows(&self, inside: u64) -> u64 {
        iterations(self.rows.overlap(), iterations(self.columns.overlap(), inside))
    }

    /// Loop iterations over a window's territory: the cells from its start to the start of the next
    /// window. `None` if windows overlap, or if one invocation cannot visit that many cells.
    pub(super) fn iterations_over_territories(&self) -> Option<u64> {
        let iterations =
            iterations(self.rows.longest_territory(), iterations(self.columns.longest_territory(), 0));
        (self.rows.is_apart() && self.columns.is_apart() && iterations <= MOST_ITERATIONS)
            .then_some(iterations)
    }
}
