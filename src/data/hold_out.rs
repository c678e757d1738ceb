//! Holding out training images for validation.
//!
//! ```
//! assert_eq!(shadegrad::data::hold_out::count(0.1, 60_000), 6_000);
//! ```

use std::collections::HashSet;
use std::path::PathBuf;

use super::{Dataset, Split};
use crate::remedy::Remedy;
use crate::{Error, Result, rng};

/// Returns how many of `images` a fraction of them is: at least one, and not all.
///
/// # Panics
/// Panics if `images` is below 2.
pub fn count(fraction: f32, images: usize) -> usize {
    ((f64::from(fraction) * images as f64).round() as usize).clamp(1, images - 1)
}

impl Dataset {
    /// Removes the data set's own validation images and their files.
    pub fn leave_out_validation(&mut self) {
        if let Some(split) = self.validation.take() {
            let unused: HashSet<PathBuf> = split.files.into_iter().collect();
            self.files.retain(|file| !unused.contains(file));
        }
    }

    /// Takes a fraction (above 0 and below 1) of the training images out: at least one, and not
    /// all. The seed determines which ones. The others keep their order.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) if there are fewer than two training images.
    pub fn hold_out(&mut self, fraction: f32, seed: u64) -> Result<Split> {
        let count = self.train.len();
        if count < 2 {
            return Err(Error::data(format!("{count} training images are too few to hold some out"))
                .advise(Remedy::settings("remove {}, or provide more images", [("validation", "")])));
        }
        let mut is_out = vec![false; count];
        for index in &rng::held_out(seed, count)[..self::count(fraction, count)] {
            is_out[*index as usize] = true;
        }
        let pixels = self.shape.pixels();
        let (mut kept, mut held) = (Split::default(), Split::default());
        for (index, is_out) in is_out.into_iter().enumerate() {
            let split = if is_out { &mut held } else { &mut kept };
            split.images.extend_from_slice(&self.train.images[index * pixels..][..pixels]);
            split.labels.push(self.train.labels[index]);
            split.files.extend(self.train.files.get(index).cloned());
        }
        self.train = kept;
        Ok(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ImageShape;

    /// Images of two pixels that identify them.
    fn dataset(count: u32) -> Dataset {
        Dataset {
            shape: ImageShape { channels: 1, height: 1, width: 2 },
            classes: vec!["even".into(), "odd".into()],
            train: Split {
                images: (0..count).flat_map(|index| [index as u8, (index >> 8) as u8]).collect(),
                labels: (0..count).map(|index| index % 2).collect(),
                files: (0..count).map(|index| format!("{index}.png").into()).collect(),
            },
            ..Dataset::default()
        }
    }

    fn numbers(split: &Split) -> Vec<u32> {
        let numbers = split.images.chunks(2).map(|image| u32::from(image[0]) + 256 * u32::from(image[1]));
        let numbers: Vec<_> = numbers.collect();
        assert!(numbers.iter().zip(&split.labels).all(|(number, label)| number % 2 == *label));
        let named: Vec<PathBuf> = numbers.iter().map(|number| format!("{number}.png").into()).collect();
        assert_eq!(named, split.files);
        numbers
    }

    #[test]
    fn validation_images_that_are_not_used_take_their_files_along() {
        let path = |name: &str| PathBuf::from(name);
        let files = vec![path("a.png"), path("b.png")];
        let mut dataset = dataset(3);
        dataset.validation = Some(Split { labels: vec![0, 1], files, ..Split::default() });
        dataset.files = ["0.png", "a.png", "1.png", "b.png", "t.png"].map(path).to_vec();
        dataset.leave_out_validation();
        assert!(dataset.validation.is_none());
        assert_eq!(dataset.files, ["0.png", "1.png", "t.png"].map(path));
    }

    #[test]
    fn every_image_is_in_one_of_both_parts_with_its_label() {
        for (count, share, held) in [(1000, 0.1, 100), (7, 0.5, 4), (2, 0.001, 1), (3, 0.999, 2)] {
            let mut dataset = dataset(count);
            let out = numbers(&dataset.hold_out(share, 1).expect("there are enough"));
            let kept = numbers(&dataset.train);
            assert_eq!(out.len(), held, "{share} of {count}");
            assert!(kept.is_sorted() && out.is_sorted());
            let mut all = [kept, out].concat();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..count));
        }
    }

    #[test]
    fn the_seed_says_which() {
        let held = |seed| numbers(&dataset(1000).hold_out(0.1, seed).expect("there are enough"));
        assert_eq!(held(1), held(1));
        assert_ne!(held(1), held(2));
        // The held-out images are neither the first ones nor every tenth.
        let gaps: Vec<u32> = held(1).windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().any(|&gap| gap > 15) && gaps.contains(&1), "{gaps:?}");
    }

    #[test]
    fn one_image_cannot_be_divided() {
        assert!(dataset(1).hold_out(0.5, 1).is_err());
    }
}
