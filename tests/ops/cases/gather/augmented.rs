//! Cases of gathering augmented images: exactly the same numbers on every device.

use shadegrad::augmentation::{Augmentation, Flip};
use shadegrad::plan::{Array, StepRecord};
use shadegrad::rng::{self, Purpose};

use super::{Layout, Store, channels_last};
use crate::bench::{Cases, PLAIN_RUN, case};
use crate::compare::Tolerance;

/// Map bytes to numbers that every device computes without rounding.
const EXACT_FACTORS: [f32; 10] = [1.0, 3.0, 0.5, -7.0, -2.0, 0.0, 4.0, 1.0, 0.25, 0.5];

case!(
    Augmented {
        store: Store,
        layout: Layout,
        /// Rows of the batch, and number of them that hold an image.
        batch: usize,
        rows: usize,
        epoch: u32,
        augmentation: Augmentation,
    },
    |bench| {
        let mut filled = store.fill_with(bench, &EXACT_FACTORS[..2 * store.shape[0]]);
        filled.images.augmentation = augmentation;
        let picks = bench.numbers.indices(batch, store.images());
        let order = bench.input("order", [batch], Array::U32(picks.clone()));
        let output = layout.gather(bench, &filled.images, order, batch);
        bench.run_with(&[StepRecord { rows: rows as u32, epoch, ..PLAIN_RUN }]);
        bench.expect("x", output.x, Tolerance::EXACT, move || {
            let mut x = Vec::new();
            for pick in &picks[..rows] {
                let image = filled.normalised(&[*pick as usize]);
                let changed = changed(&image, store.shape, augmentation, epoch, *pick);
                x.extend(match layout {
                    Layout::Maps => channels_last(&changed, store.shape),
                    Layout::Planes | Layout::Pixels => changed,
                });
            }
            x.resize(batch * store.pixels(), 0.0);
            x
        });
    }
);

/// `word / 2^32` of `bound`, rounded down.
fn below(word: u32, bound: usize) -> usize {
    (u128::from(word) * bound as u128 / (1 << 32)) as usize
}

/// The image, flipped, then padded, then cropped to its size, then with a masked square: each as a
/// separate image.
fn changed(
    image: &[f64],
    [channels, height, width]: [usize; 3],
    Augmentation { seed, flip, crop, cutout }: Augmentation,
    epoch: u32,
    index: u32,
) -> Vec<f64> {
    let words = rng::block(seed, Purpose::Augment, epoch, index.into());
    let at_first = rng::block(seed, Purpose::Augment, 0, index.into());
    let flipped = match flip {
        Flip::None => false,
        Flip::Random => words[0] % 2 == 1,
        Flip::Alternating => (at_first[0] % 2 == 1) != (epoch % 2 == 1),
    };
    let [down, right] = [below(words[0], 2 * crop + 1), below(words[1], 2 * crop + 1)];
    let [middle_row, middle_column] = [below(words[2], height), below(words[3], width)];
    let mut out = Vec::new();
    for channel in 0..channels {
        let rows = image[channel * height * width..][..height * width].chunks_exact(width);
        let mut rows: Vec<Vec<f64>> = rows.map(<[f64]>::to_vec).collect();
        if flipped {
            rows.iter_mut().for_each(|row| row.reverse());
        }
        let mut padded: Vec<Vec<f64>> = bordered(&rows, crop);
        padded.iter_mut().for_each(|row| *row = bordered(row, crop));
        for (place, row) in padded[down..][..height].iter().enumerate() {
            let mut row = row[right..][..width].to_vec();
            for (column, value) in row.iter_mut().enumerate() {
                let half = cutout / 2;
                let is_between =
                    |place: usize, middle: usize| place + half >= middle && place + half < middle + cutout;
                if is_between(place, middle_row) && is_between(column, middle_column) {
                    *value = 0.0;
                }
            }
            out.extend(row);
        }
    }
    out
}

/// Adds `border` elements at each end, which reflect those next to the first and the last.
fn bordered<T: Clone>(all: &[T], border: usize) -> Vec<T> {
    let before = all[1..=border].iter().rev();
    let behind = all[..all.len() - 1].iter().rev().take(border);
    before.chain(all).chain(behind).cloned().collect()
}

pub fn cases() -> Cases {
    let none = Augmentation { seed: 0x0123_4567_89ab_cdef, ..Augmentation::default() };
    let kinds = [
        Augmentation { flip: Flip::Random, ..none },
        Augmentation { flip: Flip::Alternating, ..none },
        Augmentation { crop: 2, ..none },
        Augmentation { cutout: 3, ..none },
        Augmentation { cutout: 4, ..none },
        Augmentation { flip: Flip::Random, crop: 1, cutout: 2, ..none },
        Augmentation { flip: Flip::Alternating, crop: 4, cutout: 5, seed: 3 },
    ];
    let mut cases: Cases = Vec::new();
    for shape in [[1, 5, 5], [1, 28, 28], [3, 5, 6], [3, 32, 32], [5, 9, 7]] {
        for augmentation in kinds {
            for layout in [Layout::Planes, Layout::Maps, Layout::Pixels] {
                let [batch, rows] = if layout == Layout::Planes { [65, 64] } else { [17, 17] };
                for epoch in [0, 1, 78] {
                    let store = Store { shape, pieces: (2, 19, 5) };
                    cases.push(Box::new(Augmented { store, layout, batch, rows, epoch, augmentation }));
                }
            }
        }
    }
    // The smallest image, and one with a single row.
    for (shape, flip, cutout) in [([1, 1, 1], Flip::Random, 1), ([2, 1, 9], Flip::Alternating, 1)] {
        let augmentation = Augmentation { flip, cutout, ..none };
        let store = Store { shape, pieces: (0, 0, 7) };
        let layout = Layout::Maps;
        cases.push(Box::new(Augmented { store, layout, batch: 20, rows: 13, epoch: 5, augmentation }));
    }
    cases
}
