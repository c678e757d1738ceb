//! The CPU half of the gather op.

use std::ops::Range;

use rayon::prelude::*;

use super::images::{Gather, Images, NO_LABEL};
use crate::augmentation::Change;
use crate::plan::{HostMemory, StepRecord};

/// Minimum number of pixels of a batch that several threads gather.
const PARALLEL_FROM: usize = 1 << 14;

impl Gather {
    pub(super) fn run(&self, memory: &HostMemory, step: &StepRecord) {
        let pixels = self.images.pixels();
        let borrowed: Vec<_> = self.images.pieces.iter().map(|&piece| memory.u8(piece)).collect();
        let pieces: Vec<&[u8]> = borrowed.iter().map(|piece| &**piece).collect();
        let [piece_images, stride] = self.images.pieces[0].matrix("piece");
        let labels = &*memory.u32(self.images.labels);
        let order = &*memory.u32(self.order);
        let normalisation = &*memory.f32(self.images.normalisation);
        let Images { height, width, augmentation, .. } = self.images;
        let plane = self.images.plane();
        let interleaves = self.interleaves();
        let [channel_step, place_step] = self.steps();
        let x = &mut *memory.f32_mut(self.output.x);
        let batch_labels = &mut *memory.u32_mut(self.output.labels);
        // Uses the widest vectors that this processor has.
        let vectors = pulp::Arch::new();
        let fill = |row: usize, x: &mut [f32], label: &mut u32| {
            if row >= step.rows as usize {
                x.fill(0.0);
                *label = NO_LABEL;
                return;
            }
            let name = order[step.first as usize + row];
            let index = name as usize;
            let start = index % piece_images * stride;
            let image = &pieces[index / piece_images][start..start + pixels];
            *label = labels[index];
            if !augmentation.is_none() {
                let change = augmentation.change(step.epoch, name, [height, width]);
                let mut view = View { x, width, channel_step, place_step };
                view.write_changed(image, normalisation, &change);
            } else if interleaves {
                write_places(x, image, normalisation);
            } else {
                vectors.dispatch(|| write_planes(x, image, normalisation, plane));
            }
        };
        // Images are scattered over a large memory, so threads also share the memory latency if the
        // batch is large enough.
        if x.len() >= PARALLEL_FROM && rayon::current_num_threads() > 1 {
            let rows = x.par_chunks_exact_mut(pixels).zip(batch_labels.par_iter_mut()).enumerate();
            rows.with_min_len(PARALLEL_FROM.div_ceil(2 * pixels))
                .for_each(|(row, (x, label))| fill(row, x, label));
        } else {
            let rows = x.chunks_exact_mut(pixels).zip(batch_labels).enumerate();
            rows.for_each(|(row, (x, label))| fill(row, x, label));
        }
    }
}

/// Writes channels first, as the image is stored.
#[inline(always)]
fn write_planes(x: &mut [f32], image: &[u8], normalisation: &[f32], plane: usize) {
    let channels = x.chunks_exact_mut(plane).zip(image.chunks_exact(plane));
    for ((x, image), factors) in channels.zip(normalisation.chunks_exact(2)) {
        for (x, &pixel) in x.iter_mut().zip(image) {
            *x = f32::from(pixel) * factors[0] + factors[1];
        }
    }
}

/// Writes channels last.
fn write_places(x: &mut [f32], image: &[u8], normalisation: &[f32]) {
    let channels = normalisation.len() / 2;
    let planes = image.chunks_exact(image.len() / channels).zip(normalisation.chunks_exact(2));
    for (channel, (image, factors)) in planes.enumerate() {
        for (x, &pixel) in x[channel..].iter_mut().step_by(channels).zip(image) {
            *x = f32::from(pixel) * factors[0] + factors[1];
        }
    }
}

/// An image of a batch, in either layout.
struct View<'a> {
    x: &'a mut [f32],
    width: usize,
    /// Floats from one channel to the next, and from one pixel position to the next.
    channel_step: usize,
    place_step: usize,
}

impl View<'_> {
    /// The given columns of one row of a channel.
    fn part(&mut self, channel: usize, row: usize, columns: Range<usize>) -> impl Iterator<Item = &mut f32> {
        let first = channel * self.channel_step + (row * self.width + columns.start) * self.place_step;
        self.x[first..].iter_mut().step_by(self.place_step).take(columns.len())
    }

    /// Writes the image as augmented by `change`.
    fn write_changed(&mut self, image: &[u8], normalisation: &[f32], change: &Change) {
        let width = self.width;
        let columns: Vec<usize> = (0..width).map(|column| change.column(column)).collect();
        let [hole_rows, hole_columns] = change.hole();
        let planes = image.chunks_exact(2 * image.len() / normalisation.len());
        for (channel, (plane, factors)) in planes.zip(normalisation.chunks_exact(2)).enumerate() {
            for row in 0..plane.len() / width {
                let line = &plane[change.row(row) * width..][..width];
                for (x, &column) in self.part(channel, row, 0..width).zip(&columns) {
                    *x = f32::from(line[column]) * factors[0] + factors[1];
                }
                if hole_rows.contains(&row) {
                    self.part(channel, row, hole_columns.clone()).for_each(|x| *x = 0.0);
                }
            }
        }
    }
}
