//! Part of a map with a border of zeros, so that windows need not test for the edges of the map.

use std::ops::Range;

use crate::ops::window::Axis;

/// Rows and columns of a map, some of which may lie outside it.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) rows: Range<isize>,
    pub(super) columns: Range<isize>,
}

impl Frame {
    /// The cells that the windows of some rows cover.
    pub(super) fn of_windows([rows, columns]: [Axis; 2], lines: Range<usize>) -> Frame {
        let covered = |axis: Axis, windows: Range<usize>| {
            let begin = |window: usize| (window * axis.stride) as isize - axis.padding as isize;
            begin(windows.start)..begin(windows.end - 1) + axis.size as isize
        };
        Frame { rows: covered(rows, lines), columns: covered(columns, 0..columns.output) }
    }

    /// Elements of a row of cells with `channels` channels.
    pub(super) fn row(&self, channels: usize) -> usize {
        self.columns.len() * channels
    }

    /// Elements of all cells.
    pub(super) fn len(&self, channels: usize) -> usize {
        self.rows.len() * self.row(channels)
    }

    pub(super) fn fill(&self, cells: &mut [f32], map: &[f32], [height, width, channels]: [usize; 3]) {
        let inside = self.columns.start.max(0)..self.columns.end.min(width as isize);
        for (row, cells) in self.rows.clone().zip(cells.chunks_exact_mut(self.row(channels))) {
            if !(0..height as isize).contains(&row) || inside.is_empty() {
                cells.fill(0.0);
                continue;
            }
            let line = &map[row as usize * width * channels..][..width * channels];
            let source = &line[inside.start as usize * channels..inside.end as usize * channels];
            let (before, rest) = cells.split_at_mut((inside.start - self.columns.start) as usize * channels);
            let (within, after) = rest.split_at_mut(source.len());
            before.fill(0.0);
            within.copy_from_slice(source);
            after.fill(0.0);
        }
    }
}
