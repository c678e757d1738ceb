//! Class counts, and mean and standard deviation of a split's pixels.
//!
//! Pixels are bytes, so a histogram of 256 bins contains everything that mean and standard
//! deviation depend on. One pass over the bytes computes exact integer sums, which are rounded only
//! at the end.
//!
//! ```
//! use shadegrad::data::statistics::Majority;
//!
//! let majority = Majority::of(&[1, 3]).expect("there are images");
//! assert_eq!((majority.class, majority.share), (1, 0.75));
//! ```

use super::{ImageShape, Split};
use rayon::prelude::*;

/// Number of bins of a histogram: one for each value of a byte.
const BINS: usize = 256;

/// Number of histograms that are filled in turn, so that equal neighbouring pixels (most of
/// Fashion-MNIST is black) do not wait for the same counter.
const LANES: usize = 4;

/// Number of images per task. No counter can overflow: 1024 * 4096^2 fits in 64 bits. A task is
/// long enough to be worth starting.
const IMAGES_AT_ONCE: usize = 1024;

/// Mean and standard deviation of each channel, for pixels scaled to [0, 1].
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Mean of each channel.
    pub mean: Vec<f64>,
    /// Population standard deviation of each channel.
    pub std: Vec<f64>,
}

/// Computes the moments of all pixels of `split`, in f64.
///
/// The result does not depend on the number of threads. Without pixels, it is mean 0 and standard
/// deviation 0.
pub fn moments(split: &Split, shape: ImageShape) -> Moments {
    let histograms = histograms(split, shape);
    let (mean, std) = histograms.iter().map(mean_and_std).unzip();
    Moments { mean, std }
}

/// Returns the number of images of each class.
///
/// # Panics
/// Panics if a label is not below `classes`.
pub fn class_counts(split: &Split, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    for &label in &split.labels {
        counts[label as usize] += 1;
    }
    counts
}

/// The most frequent class of some images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Majority {
    /// Its index. Ties go to the lowest index.
    pub class: usize,
    /// Its fraction of the images, from 0 to 1. This is the accuracy of always predicting this
    /// class, a baseline for every other accuracy.
    pub share: f64,
}

impl Majority {
    /// Returns the most frequent class for these numbers of images per class, or `None` without
    /// images.
    pub fn of(counts: &[u64]) -> Option<Majority> {
        let images: u64 = counts.iter().sum();
        let most = *counts.iter().max().filter(|&&most| most > 0)?;
        let class = counts.iter().position(|&count| count == most)?;
        Some(Majority { class, share: most as f64 / images as f64 })
    }
}

/// Counts how often each byte value occurs in each channel.
fn histograms(split: &Split, shape: ImageShape) -> Vec<[u64; BINS]> {
    let empty = || vec![[0; BINS]; shape.channels];
    if split.is_empty() || shape.pixels() == 0 {
        return empty();
    }
    let plane = shape.height * shape.width;
    split
        .images
        .par_chunks(shape.pixels() * IMAGES_AT_ONCE)
        .map(|images| {
            let mut counts = vec![[[0u64; BINS]; LANES]; shape.channels];
            for (index, pixels) in images.chunks_exact(plane).enumerate() {
                count(pixels, &mut counts[index % shape.channels]);
            }
            counts.iter().map(sum_lanes).collect()
        })
        .reduce(empty, |mut left, right| {
            for (left, right) in left.iter_mut().zip(&right) {
                add(left, right);
            }
            left
        })
}

fn count(pixels: &[u8], lanes: &mut [[u64; BINS]; LANES]) {
    let (groups, rest) = pixels.as_chunks::<LANES>();
    for group in groups {
        for (lane, &pixel) in lanes.iter_mut().zip(group) {
            lane[usize::from(pixel)] += 1;
        }
    }
    for &pixel in rest {
        lanes[0][usize::from(pixel)] += 1;
    }
}

fn sum_lanes(lanes: &[[u64; BINS]; LANES]) -> [u64; BINS] {
    let mut sum = [0; BINS];
    for lane in lanes {
        add(&mut sum, lane);
    }
    sum
}

fn add(sum: &mut [u64; BINS], more: &[u64; BINS]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

fn mean_and_std(histogram: &[u64; BINS]) -> (f64, f64) {
    let pixels: u64 = histogram.iter().sum();
    if pixels == 0 {
        return (0.0, 0.0);
    }
    let pixels = pixels as f64;
    let average = |weight: &dyn Fn(f64) -> f64| {
        let sum: f64 = (histogram.iter().enumerate())
            .map(|(value, &count)| count as f64 * weight(value as f64 / 255.0))
            .sum();
        sum / pixels
    };
    let mean = average(&|value| value);
    let variance = average(&|value| (value - mean) * (value - mean));
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_CHANNELS: ImageShape = ImageShape { channels: 2, height: 1, width: 3 };

    #[test]
    fn moments_match_a_naive_loop_over_every_pixel() {
        let images = 2500;
        let pixels: Vec<u8> =
            (0..images * TWO_CHANNELS.pixels()).map(|index| (index * index % 251) as u8).collect();
        let split = Split { labels: vec![0; images], images: pixels.clone(), ..Split::default() };
        let found = moments(&split, TWO_CHANNELS);
        for channel in 0..2 {
            let values: Vec<f64> = (pixels.chunks(3).skip(channel).step_by(2).flatten())
                .map(|&pixel| f64::from(pixel) / 255.0)
                .collect();
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            assert!((found.mean[channel] - mean).abs() < 1e-12);
            assert!((found.std[channel] - (squares / count).sqrt()).abs() < 1e-12);
        }
    }

    #[test]
    fn constant_images_have_no_deviation() {
        let split = Split { images: vec![255; 12], labels: vec![0, 1], ..Split::default() };
        let found = moments(&split, TWO_CHANNELS);
        assert_eq!(found.mean, [1.0, 1.0]);
        assert_eq!(found.std, [0.0, 0.0]);
    }

    #[test]
    fn an_empty_split_has_moments_of_zero() {
        let found = moments(&Split::default(), TWO_CHANNELS);
        assert_eq!(found.mean, [0.0, 0.0]);
        assert_eq!(found.std, [0.0, 0.0]);
    }

    #[test]
    fn every_class_is_counted_even_if_empty() {
        let split = Split { images: Vec::new(), labels: vec![2, 0, 2], ..Split::default() };
        assert_eq!(class_counts(&split, 4), [1, 0, 2, 0]);
    }

    #[test]
    fn the_commonest_class_is_the_first_of_equals() {
        let of = |counts: &[u64]| Majority::of(counts).map(|Majority { class, share }| (class, share));
        assert_eq!(of(&[1, 6, 3]), Some((1, 0.6)));
        assert_eq!(of(&[0, 2, 2]), Some((1, 0.5)));
        assert_eq!(of(&[5]), Some((0, 1.0)));
        assert_eq!(of(&[0, 0]), None);
        assert_eq!(of(&[]), None);
    }
}
