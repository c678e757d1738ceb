//! What becomes of a training image on its way into a batch: another mirror image, another cut, another hole in every
//! epoch.
//!
//! All of it follows from the seed, the epoch and the image's index, by [`rng::block`]: any device comes to the same
//! integers, in any order, and nothing needs saving. The image is flipped, then cropped, then cut out of:
//!
//! ```text
//! words   = block(seed, augment, epoch, image)
//! flipped = bit 0 of words[0]                              random
//!         = bit 0 of (block(seed, augment, 0, image)[0] xor epoch)     alternating
//! down    = words[0] (2 crop + 1) >> 32,   right = words[1] (2 crop + 1) >> 32
//! middle  = (words[2] height >> 32, words[3] width >> 32)
//! ```
//!
//! The crop is that of an image with a border of `crop` pixels, which mirror those beside them (the outermost ones do not
//! come twice), and begins `down` rows and `right` columns inside: for most images it is a shift. The hole is a square of
//! side `cutout` around `middle`, of which part may lie outside (DeVries and Taylor 2017, "Improved Regularization of
//! Convolutional Neural Networks with Cutout", section 3.2); inside, the model's inputs are zeros, the mean of
//! standardised pixels.
//!
//! Alternating flips (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", section 3.6) mirror a random half of
//! the images in the first epoch, and the other half in the next: two epochs in a row show every image both ways.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::rng::{self, Purpose};

/// How training images are mirrored, left to right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flip {
    /// Not at all.
    #[default]
    None,
    /// A random half of them in each epoch.
    Random,
    /// A random half of them in the first epoch, the other half in the next, and so on in turns.
    Alternating,
}

impl Flip {
    /// All of them.
    pub const ALL: [Flip; 3] = [Flip::None, Flip::Random, Flip::Alternating];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Flip::None => "none",
            Flip::Random => "random",
            Flip::Alternating => "alternating",
        }
    }
}

/// What may happen to training images; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augmentation {
    /// What the random numbers follow from.
    pub seed: u64,
    /// How they are mirrored.
    pub flip: Flip,
    /// Pixels by which they are shifted at most, less than they have in any direction.
    pub crop: usize,
    /// Side of the square that is cut out; 0 for none.
    pub cutout: usize,
}

/// What happens to one image in one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    height: usize,
    width: usize,
    flipped: bool,
    /// Rows and columns by which what is seen moves down and to the right in the image, at least -crop, at most crop.
    shift: [isize; 2],
    /// Rows and columns of the hole.
    hole: [Range<usize>; 2],
}

impl Augmentation {
    /// Whether images stay as they are.
    pub fn is_none(&self) -> bool {
        self.flip == Flip::None && self.crop == 0 && self.cutout == 0
    }

    /// Whether images of this size can change so.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) where they are too small.
    pub fn check(&self, [height, width]: [usize; 2]) -> Result<()> {
        let least = height.min(width);
        for (name, size, most) in
            [("crop", self.crop, least.saturating_sub(1)), ("cutout", self.cutout, least)]
        {
            if size > most {
                return Err(Error::usage(format!(
                    "{name} = {size}: more than images of {height}x{width} pixels can take, {most}"
                ))
                .advise(format!("set --{name} to {most} at most; 0 is none")));
            }
        }
        Ok(())
    }

    /// What happens to the image at index `image`, of that size, in an epoch (from 0).
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
    /// An image of this size is mirrored, if so, and then shifted up and to the left by less than it has pixels.
    pub fn view([height, width]: [usize; 2], flipped: bool, shift: [isize; 2]) -> Self {
        Change { height, width, flipped, shift, hole: [0..0, 0..0] }
    }

    /// Which row of the image is seen in this row.
    pub fn row(&self, row: usize) -> usize {
        reflected(row as isize + self.shift[0], self.height)
    }

    /// Which column of the image is seen in this column.
    pub fn column(&self, column: usize) -> usize {
        let column = reflected(column as isize + self.shift[1], self.width);
        if self.flipped { self.width - 1 - column } else { column }
    }

    /// Rows and columns in which nothing is seen.
    pub fn hole(&self) -> [Range<usize>; 2] {
        self.hole.clone()
    }
}

/// A random word as a number below `bound`: the top half of their product, which favours none by more than 2^-32.
fn below(word: u32, bound: usize) -> usize {
    ((u64::from(word) * bound as u64) >> 32) as usize
}

/// The place within `0..size` that a place less than `size` outside mirrors.
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

    /// Of 4,000 fair coins, more than 4.7 standard deviations from the middle happens once in a million times.
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
