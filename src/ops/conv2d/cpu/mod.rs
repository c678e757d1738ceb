//! The CPU half of a convolution. Windows read their cells in place, from a copy of some rows of
//! the map with a border of zeros, which stays in a near cache.
//!
//! The order of every sum depends only on the convolution's sizes, so results are bitwise the same
//! for any number of threads.

mod correlate;
mod frame;
mod products;

use std::cell::Cell;
use std::ops::Range;

use rayon::prelude::*;

use super::sizes::Sizes;
use crate::ops::matmul::{Epilogue, Product};
use crate::ops::window::Axis;
use crate::plan::{Floats, HostMemory};
use correlate::{Finish, Line, Reach, Strips};
use frame::Frame;
use products::Lines;

/// Floats of the cells in use at a time: a quarter of a cache of 512 KiB.
const BLOCK: usize = 1 << 15;

/// Windows whose products are summed in registers before the sums are stored.
const WINDOWS: usize = 256;

/// Maximum number of partial sums of the weight's gradient, and minimum number of windows of each.
const MOST_PARTS: usize = 64;
const LEAST_WINDOWS: usize = 512;

thread_local! {
    /// Buffer of cells, kept from block to block so that a step allocates nothing.
    static CELLS: Cell<Floats> = const { Cell::new(Floats::new()) };
    /// Partial sums of a weight's gradient.
    static PARTS: Cell<Floats> = const { Cell::new(Floats::new()) };
    /// The packed weights, by phase.
    static STRIPS: Cell<Vec<Strips>> = const { Cell::new(Vec::new()) };
}

/// Lends one of the thread's buffers with `length` floats of arbitrary contents.
fn with_buffer<R>(
    buffer: &'static std::thread::LocalKey<Cell<Floats>>,
    length: usize,
    work: impl FnOnce(&mut [f32]) -> R,
) -> R {
    let mut floats = buffer.take();
    floats.resize(floats.len().max(length));
    let result = work(&mut floats[..length]);
    buffer.set(floats);
    result
}

pub(super) fn forward(sizes: &Sizes, op: &Product, memory: &HostMemory) {
    let Sizes { channels, filters, rows, columns, .. } = *sizes;
    let (x, weight) = (&*memory.f32(op.a), &*memory.f32(op.b));
    let bias = match op.epilogue {
        Epilogue::Bias { bias, relu } => Some((memory.f32(bias), relu)),
        _ => None,
    };
    let finish = match &bias {
        Some((bias, relu)) => Finish::Bias { bias, relu: *relu },
        None => Finish::Store,
    };
    let mut all_strips = STRIPS.take();
    all_strips.resize_with(all_strips.len().max(1), Strips::default);
    let strips = &mut all_strips[0];
    strips.pack(sizes.patch(), filters, |term, filter| weight[filter * sizes.patch() + term]);
    let strips = &*strips;
    let reach = |frame: &Frame| Reach {
        runs: rows.size,
        length: columns.size * channels,
        row: frame.row(channels),
        step: columns.stride * channels,
    };
    let [before, after] = [sizes.input(), sizes.output()].map(|shape| shape.len() / sizes.batch);
    let line = columns.output * filters;
    let block = sizes.lines_within(BLOCK);
    memory.f32_mut(op.y).par_chunks_exact_mut(after).zip(x.par_chunks_exact(before)).for_each(|(y, x)| {
        y.par_chunks_mut(block * line).enumerate().for_each(|(index, y)| {
            let lines = index * block..index * block + y.len() / line;
            let frame = Frame::of_windows([rows, columns], lines);
            with_buffer(&CELLS, frame.len(channels), |cells| {
                frame.fill(cells, x, [rows.input, columns.input, channels]);
                let reach = reach(&frame);
                for (line, y) in y.chunks_exact_mut(line).enumerate() {
                    let frame = &cells[line * rows.stride * reach.row..];
                    let windows = columns.output;
                    Line { frame, reach, strips, windows, y, y_step: filters, finish }.run();
                }
            });
        });
    });
    STRIPS.set(all_strips);
}

/// Cells of the map along one axis that have the same kernel positions in their windows: those at
/// `phase`, `phase + stride`, and so on, counted from the start of the padding.
///
/// Kernel position `place` of a window covers cell `window * stride + place - padding`. So a cell
/// at `quotient * stride + phase` has kernel position `phase + stride * i` in window
/// `quotient - i`, for all such positions and windows that exist.
#[derive(Clone, Copy, Debug)]
struct Phase {
    axis: Axis,
    phase: usize,
}

impl Phase {
    fn all(axis: Axis) -> impl Iterator<Item = Phase> {
        (0..axis.stride).map(move |phase| Phase { axis, phase })
    }

    fn of_cell(axis: Axis, cell: usize) -> Phase {
        Phase { axis, phase: (cell + axis.padding) % axis.stride }
    }

    /// Number of windows that cover one of the cells.
    fn windows(self) -> usize {
        (self.axis.size + self.axis.stride - 1 - self.phase) / self.axis.stride
    }

    /// The cell's kernel position in the `index`-th of those windows, from left to right.
    fn place(self, index: usize) -> usize {
        self.phase + self.axis.stride * (self.windows() - 1 - index)
    }

    /// The first of the cells, and their number.
    fn cells(self) -> (usize, usize) {
        let Axis { input, stride, padding, .. } = self.axis;
        let first = (self.phase + stride - padding % stride) % stride;
        (first, input.saturating_sub(first).div_ceil(stride))
    }

    /// The first window that covers the cell. It may lie outside the map of windows.
    fn first_window(self, cell: usize) -> isize {
        ((cell + self.axis.padding) / self.axis.stride) as isize - self.windows() as isize + 1
    }
}

pub(super) fn data_gradient(sizes: &Sizes, op: &Product, memory: &HostMemory) {
    let Sizes { channels, filters, rows, columns, .. } = *sizes;
    let (dy, weight) = (&*memory.f32(op.a), &*memory.f32(op.b));
    let mask = match op.epilogue {
        Epilogue::Mask(mask) => Some(memory.f32(mask)),
        _ => None,
    };
    let mask = mask.as_deref();
    let mut all_strips = STRIPS.take();
    all_strips.resize_with(all_strips.len().max(rows.stride * columns.stride), Strips::default);
    let phases = Phase::all(rows).flat_map(|row| Phase::all(columns).map(move |column| (row, column)));
    for ((row, column), strips) in phases.zip(&mut all_strips) {
        let length = column.windows() * filters;
        strips.pack(row.windows() * length, channels, |term, channel| {
            let place = row.place(term / length) * columns.size + column.place(term % length / filters);
            weight[(term % filters * rows.size * columns.size + place) * channels + channel]
        });
    }
    let strips = &all_strips[..];
    let [before, after] = [sizes.input(), sizes.output()].map(|shape| shape.len() / sizes.batch);
    let line = columns.input * channels;
    let block = sizes.cell_rows_within(BLOCK);
    memory.f32_mut(op.y).par_chunks_exact_mut(before).enumerate().for_each(|(image, dx)| {
        dx.par_chunks_mut(block * line).enumerate().for_each(|(index, dx)| {
            let lines = index * block..index * block + dx.len() / line;
            let frame = sizes.frame_of_outputs(lines.clone());
            with_buffer(&CELLS, frame.len(filters), |outputs| {
                let dy = &dy[image * after..][..after];
                frame.fill(outputs, dy, [rows.output, columns.output, filters]);
                for (row, dx) in lines.zip(dx.chunks_exact_mut(line)) {
                    let mask = mask.map(|mask| &mask[image * before + row * line..][..line]);
                    line_of_cells(sizes, row, dx, &frame, outputs, strips, mask);
                }
            });
        });
    });
    STRIPS.set(all_strips);
}

/// Computes a row of cells of the map's gradient, phase by phase.
fn line_of_cells(
    sizes: &Sizes,
    row: usize,
    dx: &mut [f32],
    frame: &Frame,
    outputs: &[f32],
    strips: &[Strips],
    mask: Option<&[f32]>,
) {
    let Sizes { channels, filters, rows, columns, .. } = *sizes;
    let row_phase = Phase::of_cell(rows, row);
    let above = (row_phase.first_window(row) - frame.rows.start) as usize * frame.row(filters);
    for phase in Phase::all(columns) {
        let (first, windows) = phase.cells();
        if windows == 0 {
            continue;
        }
        let left = (phase.first_window(first) - frame.columns.start) as usize * filters;
        let reach = Reach {
            runs: if phase.windows() == 0 { 0 } else { row_phase.windows() },
            length: phase.windows() * filters,
            row: frame.row(filters),
            step: filters,
        };
        let finish = mask.map_or(Finish::Store, |mask| Finish::Mask(&mask[first * channels..]));
        let strips = &strips[row_phase.phase * columns.stride + phase.phase];
        // Cells between windows are in no window, and their offset may be past the end.
        let frame = outputs.get(above + left..).unwrap_or_default();
        let y = &mut dx[first * channels..];
        Line { frame, reach, strips, windows, y, y_step: columns.stride * channels, finish }.run();
    }
}

pub(super) fn weight_gradient(sizes: &Sizes, op: &Product, memory: &HostMemory) {
    let (dy, x) = (&*memory.f32(op.a), &*memory.f32(op.b));
    let mut dw = memory.f32_mut(op.y);
    let (length, lines) = (dw.len(), sizes.lines_per_part());
    with_buffer(&PARTS, length * sizes.lines().div_ceil(lines), |parts| {
        parts.par_chunks_exact_mut(length).enumerate().for_each(|(part, sums)| {
            let first = part * lines;
            part_of_weight_gradient(sizes, first..(first + lines).min(sizes.lines()), sums, dy, x);
        });
        let (sums, others) = parts.split_at_mut(length);
        let chunk = 1 << 12;
        sums.par_chunks_mut(chunk).enumerate().for_each(|(index, sums)| {
            for part in others.chunks_exact(length) {
                for (sum, &term) in sums.iter_mut().zip(&part[index * chunk..]) {
                    *sum += term;
                }
            }
        });
        let (patch, filters) = (sizes.patch(), sizes.filters);
        for (filter, dw) in dw.chunks_exact_mut(patch).enumerate() {
            for (place, dw) in dw.iter_mut().enumerate() {
                *dw = sums[place * filters + filter];
            }
        }
    });
}

/// Adds the products of some rows of windows to the weight's gradient,
/// `[kernel position and channel, filter]`.
fn part_of_weight_gradient(sizes: &Sizes, lines: Range<usize>, sums: &mut [f32], dy: &[f32], x: &[f32]) {
    let Sizes { channels, filters, rows, columns, .. } = *sizes;
    let block = sizes.lines_within(BLOCK).min(WINDOWS.div_ceil(columns.output));
    let before = sizes.input().len() / sizes.batch;
    let line = columns.output * filters;
    sums.fill(0.0);
    let mut first = lines.start;
    while first < lines.end {
        // A block lies within one image.
        let (image, begin) = (first / rows.output, first % rows.output);
        let count = block.min(lines.end - first).min(rows.output - begin);
        let frame = Frame::of_windows([rows, columns], begin..begin + count);
        with_buffer(&CELLS, frame.len(channels), |cells| {
            frame.fill(cells, &x[image * before..][..before], [rows.input, columns.input, channels]);
            let reach = Reach {
                runs: rows.size,
                length: columns.size * channels,
                row: frame.row(channels),
                step: columns.stride * channels,
            };
            let dy = &dy[first * line..][..count * line];
            let windows = columns.output;
            let sums = &mut *sums;
            Lines { frame: cells, reach, stride: rows.stride, windows, dy, filters, sums }.run();
        });
        first += count;
    }
}

impl Sizes {
    /// Number of rows of windows whose cells are at most this many floats, but at least one.
    fn lines_within(&self, floats: usize) -> usize {
        let row = (self.columns.input + 2 * self.columns.padding) * self.channels;
        let rows = (floats / row).saturating_sub(self.rows.size);
        (rows / self.rows.stride + 1).min(self.rows.output)
    }

    /// Number of rows of cells whose windows' outputs are at most this many floats, but at least
    /// one.
    fn cell_rows_within(&self, floats: usize) -> usize {
        let row = (self.columns.output + 2 * self.columns.size) * self.filters;
        let rows = (floats / row).saturating_sub(self.rows.size);
        (rows * self.rows.stride + 1).min(self.rows.input)
    }

    /// The outputs of all windows that may cover some rows of cells, with zeros for windows that do
    /// not exist.
    fn frame_of_outputs(&self, cells: Range<usize>) -> Frame {
        let covered = |axis: Axis, cells: Range<usize>| {
            let window = |cell: usize| ((cell + axis.padding) / axis.stride) as isize;
            let most = axis.size.div_ceil(axis.stride) as isize;
            window(cells.start) - most + 1..window(cells.end - 1) + 1
        };
        Frame { rows: covered(self.rows, cells), columns: covered(self.columns, 0..self.columns.input) }
    }

    /// Rows of windows per partial sum of the weight's gradient.
    fn lines_per_part(&self) -> usize {
        self.lines().div_ceil(MOST_PARTS).max(LEAST_WINDOWS.div_ceil(self.columns.output))
    }
}
