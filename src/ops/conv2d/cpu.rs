//! The CPU half of a convolution: some lines of patches at a time are copied into a buffer that stays in a near
//! cache, and multiplied there.
//!
//! Every sum has an order that follows from the convolution's sizes: results are the same bits for any number of threads.

use std::cell::Cell;
use std::ops::Range;

use rayon::prelude::*;

use super::{DataGradient, Forward, Sizes, WeightGradient};
use crate::host::HostMemory;
use crate::ops::matmul::cpu::dot;
use crate::ops::matmul::cpu::outer::{self, Finish, Steps};
use crate::ops::matmul::{Form, Size};
use crate::ops::relu::relu;

/// Floats of a block of patches: half of a cache of 512 KiB.
const BLOCK: usize = 1 << 16;

thread_local! {
    /// Kept from block to block, so that a step allocates nothing.
    static PATCHES: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Lends a thread's buffer, `length` floats of whatever was there.
fn with_buffer<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = PATCHES.take();
    buffer.resize(buffer.len().max(length), 0.0);
    let result = work(&mut buffer[..length]);
    PATCHES.set(buffer);
    result
}

impl Sizes {
    /// Lines whose patches fit a block, at least one.
    fn lines_of_block(&self) -> usize {
        (BLOCK / (self.columns.output * self.patch())).max(1)
    }

    /// The product that some lines of patches take part in.
    fn product(&self, form: Form, lines: usize) -> Size {
        let [windows, filters, patch] = [lines * self.columns.output, self.filters, self.patch()];
        match form {
            Form::Nt => Size { m: windows, n: filters, k: patch },
            Form::Nn => Size { m: windows, n: patch, k: filters },
            Form::Tn => Size { m: filters, n: patch, k: windows },
        }
    }

    /// The pieces of the patches of some lines that lie in the map, in order: where in the patches, where in the maps of
    /// the batch. A piece is what one row of the map has in a window; the rest is padding.
    fn each_piece(&self, lines: Range<usize>, mut visit: impl FnMut(Range<usize>, Range<usize>)) {
        let Sizes { channels, rows, columns, .. } = *self;
        for (index, line) in lines.enumerate() {
            let (image, line) = (line / rows.output, line % rows.output);
            for column in 0..columns.output {
                let patch = (index * columns.output + column) * self.patch();
                let cells = columns.cells(column);
                if cells.is_empty() {
                    continue;
                }
                let left = cells.start + columns.padding - column * columns.stride;
                for row in rows.cells(line) {
                    let above = row + rows.padding - line * rows.stride;
                    let within = patch + (above * columns.size + left) * channels;
                    let place = ((image * rows.input + row) * columns.input + cells.start) * channels;
                    let length = cells.len() * channels;
                    visit(within..within + length, place..place + length);
                }
            }
        }
    }

    /// Copies the patches of some lines.
    fn gather(&self, lines: Range<usize>, patches: &mut [f32], x: &[f32]) {
        patches.fill(0.0);
        self.each_piece(lines, |within, place| patches[within].copy_from_slice(&x[place]));
    }
}

pub(super) fn forward(op: &Forward, memory: &HostMemory) {
    let sizes = op.sizes;
    let (x, weight) = (&*memory.f32(op.x), &*memory.f32(op.weight));
    let bias = op.bias.map(|bias| memory.f32(bias));
    let bias = bias.as_deref();
    let finish = |filter: usize, sum: f32| {
        let sum = bias.map_or(sum, |bias| sum + bias[filter]);
        if op.relu { relu(sum) } else { sum }
    };
    let (block, line) = (sizes.lines_of_block(), sizes.columns.output * sizes.filters);
    memory.f32_mut(op.y).par_chunks_mut(block * line).enumerate().for_each(|(index, y)| {
        let lines = index * block..index * block + y.len() / line;
        with_buffer(lines.len() * sizes.columns.output * sizes.patch(), |patches| {
            let size = sizes.product(Form::Nt, lines.len());
            sizes.gather(lines, patches, x);
            dot::rows(size, y, patches, weight, finish);
        });
    });
}

pub(super) fn data_gradient(op: &DataGradient, memory: &HostMemory) {
    let sizes = op.sizes;
    let (dy, weight) = (&*memory.f32(op.dy), &*memory.f32(op.weight));
    let mask = op.mask.map(|mask| memory.f32(mask));
    let mask = mask.as_deref();
    let (block, line) = (sizes.lines_of_block(), sizes.columns.output * sizes.filters);
    let image = sizes.rows.input * sizes.columns.input * sizes.channels;
    memory.f32_mut(op.dx).par_chunks_exact_mut(image).enumerate().for_each(|(index, dx)| {
        dx.fill(0.0);
        let lines = index * sizes.rows.output..(index + 1) * sizes.rows.output;
        for first in lines.clone().step_by(block) {
            let lines = first..(first + block).min(lines.end);
            with_buffer(lines.len() * sizes.columns.output * sizes.patch(), |patches| {
                let size = sizes.product(Form::Nn, lines.len());
                let steps = Steps { row: sizes.filters, term: 1 };
                outer::rows(size, patches, &dy[first * line..], steps, weight, Finish::Store);
                sizes.each_piece(lines, |within, place| {
                    let dx = &mut dx[place.start - index * image..place.end - index * image];
                    for (dx, &term) in dx.iter_mut().zip(&patches[within]) {
                        *dx += term;
                    }
                });
            });
        }
        if let Some(mask) = mask {
            for (dx, &mask) in dx.iter_mut().zip(&mask[index * image..]) {
                *dx = if mask > 0.0 { *dx } else { 0.0 };
            }
        }
    });
}

pub(super) fn weight_gradient(op: &WeightGradient, memory: &HostMemory) {
    let sizes = op.sizes;
    let (dy, x) = (&*memory.f32(op.dy), &*memory.f32(op.x));
    let mut dw = memory.f32_mut(op.dw);
    let Some(partials) = op.partials else {
        return weight_gradient_of(&sizes, 0..sizes.lines(), &mut dw, dy, x);
    };
    let (length, lines) = (dw.len(), sizes.lines_of_part());
    let mut partials = memory.f32_mut(partials);
    partials.par_chunks_exact_mut(length).enumerate().for_each(|(part, partial)| {
        let first = part * lines;
        weight_gradient_of(&sizes, first..(first + lines).min(sizes.lines()), partial, dy, x);
    });
    dw.fill(0.0);
    for partial in partials.chunks_exact(length) {
        for (dw, &term) in dw.iter_mut().zip(partial) {
            *dw += term;
        }
    }
}

/// What some lines add to the gradient of the weight.
fn weight_gradient_of(sizes: &Sizes, lines: Range<usize>, dw: &mut [f32], dy: &[f32], x: &[f32]) {
    let (block, line) = (sizes.lines_of_block(), sizes.columns.output * sizes.filters);
    dw.fill(0.0);
    for first in lines.clone().step_by(block) {
        let lines = first..(first + block).min(lines.end);
        with_buffer(lines.len() * sizes.columns.output * sizes.patch(), |patches| {
            let size = sizes.product(Form::Tn, lines.len());
            let steps = Steps { row: 1, term: sizes.filters };
            sizes.gather(lines, patches, x);
            outer::rows(size, dw, &dy[first * line..], steps, patches, Finish::Add);
        });
    }
}
