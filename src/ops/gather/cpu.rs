//! The CPU half of gathering a batch.

use rayon::prelude::*;

use super::{Gather, NO_LABEL};
use crate::host::HostMemory;
use crate::plan::StepRecord;

/// Pixels of a batch from which on several threads gather it.
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
        let plane = self.images.plane();
        let interleaves = self.interleaves();
        let x = &mut *memory.f32_mut(self.output.x);
        let batch_labels = &mut *memory.u32_mut(self.output.labels);
        let fill = |row: usize, x: &mut [f32], label: &mut u32| {
            if row >= step.rows as usize {
                x.fill(0.0);
                *label = NO_LABEL;
                return;
            }
            let index = order[step.first as usize + row] as usize;
            let start = index % piece_images * stride;
            let image = &pieces[index / piece_images][start..start + pixels];
            *label = labels[index];
            if interleaves {
                write_places(x, image, normalisation);
            } else {
                write_planes(x, image, normalisation, plane);
            }
        };
        // Images lie all over a large memory: waiting for them is divided, too, where it is worth it.
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

/// Channel by channel, as the image is.
fn write_planes(x: &mut [f32], image: &[u8], normalisation: &[f32], plane: usize) {
    let channels = x.chunks_exact_mut(plane).zip(image.chunks_exact(plane));
    for ((x, image), factors) in channels.zip(normalisation.chunks_exact(2)) {
        for (x, &pixel) in x.iter_mut().zip(image) {
            *x = f32::from(pixel) * factors[0] + factors[1];
        }
    }
}

/// Place by place, the channels of each beside each other.
fn write_places(x: &mut [f32], image: &[u8], normalisation: &[f32]) {
    let channels = normalisation.len() / 2;
    let planes = image.chunks_exact(image.len() / channels).zip(normalisation.chunks_exact(2));
    for (channel, (image, factors)) in planes.enumerate() {
        for (x, &pixel) in x[channel..].iter_mut().step_by(channels).zip(image) {
            *x = f32::from(pixel) * factors[0] + factors[1];
        }
    }
}
