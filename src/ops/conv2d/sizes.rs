//! The sizes of a convolution.

use crate::ops::window::{Axis, Window};
use crate::tensor::Shape;

#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) batch: usize,
    pub(super) channels: usize,
    pub(super) filters: usize,
    pub(super) rows: Axis,
    pub(super) columns: Axis,
}

impl Sizes {
    /// Panics unless `x` is a map, the window fits it, and no sum is too long.
    #[track_caller]
    pub(super) fn new(x: Shape, filters: usize, window: Window) -> Self {
        let [batch, height, width, channels] = *x.sizes() else {
            panic!("x must be a map, but has shape {x:?}");
        };
        let Some([rows, columns]) = window.axes(height, width) else {
            panic!("{window:?} does not fit x, {x:?}");
        };
        let sizes = Sizes { batch, channels, filters, rows, columns };
        sizes.expect_few_terms();
        sizes
    }

    pub(super) fn input(&self) -> Shape {
        [self.batch, self.rows.input, self.columns.input, self.channels].into()
    }

    pub(super) fn output(&self) -> Shape {
        [self.batch, self.rows.output, self.columns.output, self.filters].into()
    }

    pub(super) fn weight(&self) -> Shape {
        [self.filters, self.rows.size, self.columns.size, self.channels].into()
    }

    /// Elements of a patch: the contents of one window.
    pub(super) fn patch(&self) -> usize {
        self.rows.size * self.columns.size * self.channels
    }

    /// Rows of windows, over all images.
    pub(super) fn lines(&self) -> usize {
        self.batch * self.rows.output
    }

    /// Windows, over all images.
    pub(super) fn windows(&self) -> usize {
        self.lines() * self.columns.output
    }
}
