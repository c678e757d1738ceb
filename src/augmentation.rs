//! Data augmentation: random flips, crops and cutout of training images.
//!
//! Everything follows from the seed, the epoch and the index of the image, by [`rng::block`]. Every
//! device computes the same integers, in any order, and there is no state to save. The image is
//! flipped, then cropped, then a square is cut out:
//!
//! ```text
//! words   = block(seed, augment, epoch, image)
//! flipped = bit 0 of words[0]                              random
//!         = bit 0 of (block(seed, augment, 0, image)[0] xor epoch)     alternating
//! down    = words[0] (2 crop + 1) >> 32,   right = words[1] (2 crop + 1) >> 32
//! middle  = (words[2] height >> 32, words[3] width >> 32)
//! ```
//!
//! The image is padded with `crop` reflected pixels on each side (the outermost pixels are not
//! repeated), and the crop begins `down` rows and `right` columns inside. Cutout masks a square of
//! side `cutout` around `middle`, which may lie partly outside (DeVries and Taylor 2017, "Improved
//! Regularization of Convolutional Neural Networks with Cutout", section 3.2). Masked inputs of the
//! model are zero, the mean of standardised pixels.
//!
//! Alternating flips (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", section 3.6)
//! mirror a random half of the images in the first epoch and the other half in the next, so two
//! consecutive epochs show every image both ways.
//!
//! ```
//! use shadegrad::augmentation::{Augmentation, Flip};
//!
//! let augmentation = Augmentation { flip: Flip::Alternating, crop: 2, ..Augmentation::default() };
//! augmentation.check([32, 32]).expect("the images are large enough");
//! let change = augmentation.change(0, 7, [32, 32]);
//! assert!(change.row(0) <= 2 && change.hole()[0].is_empty());
//! ```

use std::ops::Range;

use crate::error::{Error, Result};
use crate::rng::{self, Purpose};
use crate::text::named::named;

named! {
    /// Horizontal flips of training images.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Flip {
        /// No flips.
        #[default]
        None = "none",
        /// A random half of the images in each epoch.
        Random = "random",
        /// A random half in the first epoch, the other half in the next, and so on in turns.
        Alternating = "alternating",
    }
}

/// Options of the augmentation; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augmentation {
    /// Random seed.
    pub seed: u64,
    /// Horizontal flips.
    pub flip: Flip,
    /// Maximum shift in pixels, smaller than the image.
    pub crop: usize,
    /// Side of the square that is masked; 0 disables cutout.
    pub cutout: usize,
}

/// The augmentation of one image in one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    height: usize,
    width: usize,
    flipped: bool,
    /// Rows and columns by which the view is shifted down and right, from -crop to crop.
    shift: [isize; 2],
    /// Rows and columns of the masked square.
    hole: [Range<usize>; 2],
}

impl Augmentation {
    /// Whether images are not augmented.
    pub fn is_none(&self) -> bool {
        self.flip == Flip::None && self.crop == 0 && self.cutout == 0
    }

    /// Checks that images of this size are large enough.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if they are too small.
    pub fn check(&self, [height, width]: [usize; 2]) -> Result<()> {
        let least = height.min(width);
        for (name, size, most) in
            [("crop", self.crop, least.saturating_sub(1)), ("cutout", self.cutout, least)]
        {
            if size > most {
                return Err(Error::usage(format!(
                    "{name} = {size}: must be at most {most} for images of {height}x{width} pixels"
                ))
                .advise(format!("set --{name} to {most} at most; 0 is none")));
            }
        }
        Ok(())
    }

    /// The augmentation of the image at index `image`, of this size, in an epoch (from 0).
    pub fn change(&self, epoch: u32, image: u32, [height, width]: [usize; 2]) -> Change {
        let block = |epoch| rng::block(self.seed, Purpose::Augment, epoch, image.into());
        let words = block(epoch);
        let flips = match self.flip {
            Flip::None => 0,
            Flip::Random => words[0],
            Flip::Alternating => block(0)[0] ^ epoch,
        };
        let shift =
            [words[0], words[1]].map(|word| below(word, 2 * self.crop + 1) as isize - self.crop as isize);
        let hole = [(words[2], height), (words[3], width)].map(|(word, size)| {
            let first = below(word, size) as isize - (self.cutout / 2) as isize;
            let inside = |place: isize| place.clamp(0, size as isize) as usize;
            inside(first)..inside(first + self.cutout as isize)
        });
        Change { height, width, flipped: flips & 1 == 1, shift, hole }
    }
}

impl Change {
    /// A fixed view: the image is flipped, if `flipped`, and shifted up and left by `shift`, less
    /// than its size.
    pub fn view([height, width]: [usize; 2], flipped: bool, shift: [isize; 2]) -> Self {
        Change { height, width, flipped, shift, hole: [0..0, 0..0] }
    }

    /// The row of the image that appears in this row.
    pub fn row(&self, row: usize) -> usize {
        reflected(row as isize + self.shift[0], self.height)
    }

    /// The column of the image that appears in this column.
    pub fn column(&self, column: usize) -> usize {
        let column = reflected(column as isize + self.shift[1], self.width);
        if self.flipped { self.width - 1 - column } else { column }
    }

    /// Rows and columns that are masked.
    pub fn hole(&self) -> [Range<usize>; 2] {
        self.hole.clone()
    }
}

/// Maps a random word to a number below `bound`: the high half of their product, biased by at most
/// 2^-32.
fn below(word: u32, bound: usize) -> usize {
    ((u64::from(word) * bound as u64) >> 32) as usize
}

/// Reflects a position less than `size` outside into `0..size`.
fn reflected(place: isize, size: usize) -> usize {
    let inside = place.unsigned_abs();
    inside.min((2 * (size - 1)).wrapping_sub(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [9, 13];

    fn changes(augmentation: Augmentation, epoch: u32) -> Vec<Change> {
        (0..4000).map(|image| augmentation.change(epoch, image, SIZE)).collect()
    }

    /// Of 4,000 fair coins, a deviation of more than 4.7 standard deviations has a probability of
    /// one in a million.
    fn assert_about(count: usize, share: f64) {
        let (mean, deviation) = (4000.0 * share, (4000.0 * share * (1.0 - share)).sqrt());
        assert!((count as f64 - mean).abs() < 4.7 * deviation, "{count} of 4000 are not about {share}");
    }

    #[test]
    fn half_of_the_images_flip_and_others_in_other_epochs() {
        let random = Augmentation { flip: Flip::Random, seed: 5, ..Augmentation::default() };
        let flips = |augmentation, epoch| -> Vec<bool> {
            changes(augmentation, epoch).iter().map(|change| change.flipped).collect()
        };
        let equal = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| a == b).count();
        let (first, second) = (flips(random, 0), flips(random, 1));
        assert_about(first.iter().filter(|flipped| **flipped).count(), 0.5);
        assert_about(equal(&first, &second), 0.5);
        assert_about(equal(&first, &flips(Augmentation { seed: 6, ..random }, 0)), 0.5);
        let alternating = Augmentation { flip: Flip::Alternating, ..random };
        assert_eq!(flips(alternating, 0), first);
        for epoch in 1..5 {
            let same = equal(&flips(alternating, epoch), &first);
            assert_eq!(same, if epoch % 2 == 0 { 4000 } else { 0 }, "in epoch {epoch}");
        }
    }

    #[test]
    fn shifts_and_holes_are_everywhere_alike() {
        let changes = changes(Augmentation { crop: 2, cutout: 1, seed: 1, ..Augmentation::default() }, 3);
        for shift in -2..=2 {
            for axis in [0, 1] {
                let count = changes.iter().filter(|change| change.shift[axis] == shift).count();
                assert_about(count, 0.2);
            }
        }
        for axis in [0, 1] {
            for place in 0..SIZE[axis] {
                let count = changes.iter().filter(|change| change.hole[axis] == (place..place + 1)).count();
                assert_about(count, 1.0 / SIZE[axis] as f64);
            }
        }
    }

    #[test]
    fn what_is_seen_lies_within_the_image() {
        let augmentation = Augmentation { crop: 8, cutout: 9, flip: Flip::Random, seed: 2 };
        for change in changes(augmentation, 0) {
            assert!((0..SIZE[0]).all(|row| change.row(row) < SIZE[0]));
            assert!((0..SIZE[1]).all(|column| change.column(column) < SIZE[1]));
            let [rows, columns] = change.hole();
            assert!(!rows.is_empty() && rows.end <= SIZE[0] && rows.len() <= 9);
            assert!(!columns.is_empty() && columns.end <= SIZE[1] && columns.len() <= 9);
        }
    }

    #[test]
    fn images_must_be_larger_than_their_shift_and_hole() {
        let check = |crop, cutout| Augmentation { crop, cutout, ..Augmentation::default() }.check(SIZE);
        check(8, 9).expect("as much as possible");
        let refused = |crop, cutout| check(crop, cutout).expect_err("too much").to_string();
        assert!(refused(9, 0).starts_with("crop = 9"), "{}", refused(9, 0));
        assert!(refused(0, 10).starts_with("cutout = 10"), "{}", refused(0, 10));
    }
}
