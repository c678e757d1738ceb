//! Cases of gathering a batch of images.

use shadegrad::host::Array;
use shadegrad::ops::gather::{self, Images, NO_LABEL};
use shadegrad::plan::StepRecord;

use crate::bench::{Bench, Case, Cases, PLAIN_RUN};
use crate::compare::Tolerance;

#[derive(Clone, Copy, Debug)]
struct Gather {
    channels: usize,
    plane: usize,
    /// Images of each piece but the last, and of the last.
    pieces: (usize, usize, usize),
    batch: usize,
    /// Where in the order the batch starts, and how many of its rows hold an image.
    first: usize,
    rows: usize,
}

impl Gather {
    fn images(&self) -> usize {
        let (full, size, last) = self.pieces;
        full * size + last
    }

    /// The pieces, as the device has them: images padded to whole words with what must not be read.
    fn pieces(&self, pixels: &[u8]) -> Vec<Vec<u8>> {
        let (full, size, last) = self.pieces;
        let stride = (self.channels * self.plane).next_multiple_of(4);
        let mut images = pixels.chunks_exact(self.channels * self.plane);
        let sizes = std::iter::repeat_n(size, full).chain([last]);
        let piece = |size| {
            let mut bytes = Vec::new();
            for image in images.by_ref().take(size) {
                bytes.extend(image);
                bytes.resize(bytes.len().next_multiple_of(stride), 0xee);
            }
            bytes
        };
        sizes.map(piece).collect()
    }
}

impl Case for Gather {
    fn record(&self, bench: &mut Bench) {
        let &Gather { channels, plane, batch, first, rows, .. } = self;
        let (pixels, count) = (channels * plane, self.images());
        let bytes = bench.numbers.bytes(count * pixels);
        let classes = bench.numbers.indices(count, 1000);
        // Repeats on purpose: the order is data, not a promise.
        let picks = bench.numbers.indices(first + batch, count);
        let factors = bench.numbers.floats(2 * channels, 2.0);
        let stride = pixels.next_multiple_of(4);
        let pieces = self.pieces(&bytes);
        let pieces = pieces.into_iter().map(|piece| {
            let images = piece.len() / stride;
            bench.input("piece", [images, stride], Array::U8(piece))
        });
        let images = Images {
            pieces: pieces.collect(),
            labels: bench.input("labels", [count], Array::U32(classes.clone())),
            normalisation: bench.floats("normalisation", [channels, 2], &factors),
            pixels,
        };
        let order = bench.input("order", [first + batch], Array::U32(picks.clone()));
        let output = gather::forward(bench.plan, &images, order, batch);
        let record = StepRecord { first: first as u32, rows: rows as u32, ..PLAIN_RUN };
        bench.run_with(&[record]);

        let picks: Vec<usize> = picks[first..][..rows].iter().map(|&image| image as usize).collect();
        let labels = picks.iter().map(|&image| classes[image].into());
        let labels: Vec<f64> = labels.chain(std::iter::repeat(NO_LABEL.into())).take(batch).collect();
        bench.expect("batch_labels", output.labels, Tolerance::EXACT, move || labels);
        // 255 times a factor of 2, plus another.
        bench.expect("x", output.x, Tolerance::rounded(512.0), move || {
            let mut x = vec![0.0; batch * pixels];
            for (row, image) in picks.into_iter().enumerate() {
                for pixel in 0..pixels {
                    let channel = pixel / plane;
                    let (scale, shift) = (factors[2 * channel], factors[2 * channel + 1]);
                    let byte = f64::from(bytes[image * pixels + pixel]);
                    x[row * pixels + pixel] = byte * f64::from(scale) + f64::from(shift);
                }
            }
            x
        });
    }
}

pub fn cases() -> Cases {
    let mut cases = Vec::new();
    // Sizes that are and are not multiples of the word of four pixels; pieces; whole, partial and
    // almost empty batches, at the order's start and further on.
    for (channels, plane) in [(1, 1), (1, 25), (1, 28 * 28), (3, 4), (3, 25), (3, 32 * 32)] {
        for pieces in [(0, 0, 1), (0, 0, 23), (1, 12, 11), (1, 1, 1), (2, 9, 5), (2, 8, 8)] {
            for (batch, rows) in [(1, 1), (17, 17), (64, 1), (65, 40)] {
                let first = batch % 5;
                cases.push(Gather { channels, plane, pieces, batch, first, rows });
            }
        }
    }
    // More than 65,535 workgroups of 64 words.
    let (batch, rows) = (65_536 * 64 / 7 + 3, 65_536 * 64 / 7 - 2);
    cases.push(Gather { channels: 1, plane: 25, pieces: (1, 50, 30), batch, first: 1, rows });
    cases.into_iter().map(|case| Box::new(case) as Box<dyn Case>).collect()
}
