//! Filters of a whitening convolution. Fast CIFAR-10 networks compute the filters of their first
//! layer from the images instead of training them (Page 2019, "How to Train Your ResNet 8", and
//! Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", section 3.2).
//!
//! For the normalised patches `p` of the first training images,
//!
//! ```text
//! E(p p^T) = sum over i of e_i v_i v_i^T       eigenvalues e_i, largest first, eigenvectors v_i
//! filter i              =  v_i / sqrt(e_i + 5e-4)
//! filter i of the rest  = -v_i / sqrt(e_i + 5e-4)
//! ```
//!
//! The filtered patches have a variance of about 1 in every channel, and no two channels of the
//! first half are correlated.

mod eigen;

use crate::data::patches::{self, PatchSums};
use crate::data::{ImageShape, Normalisation, Split};
use crate::device::Session;
use crate::error::Result;
use crate::nn::Model;
use crate::plan::Array;

/// Number of images whose patches are used.
const IMAGES: usize = 5000;

/// Added to eigenvalues, so that directions with little variance are not amplified too much.
const EPSILON: f64 = 5e-4;

/// Computes the model's whitening filters from the images of `split`, if it has a whitening layer.
pub(super) fn write(
    session: &mut dyn Session,
    model: &Model,
    split: &Split,
    shape: ImageShape,
    normalisation: &Normalisation,
) -> Result<()> {
    let Some(weight) = model.whitening() else { return Ok(()) };
    let side = weight.shape().sizes()[1];
    let sums = patches::sums(split, shape, side, IMAGES);
    session.write(weight, Array::F32(filters(&sums, normalisation)))
}

/// The filters, each a patch, one after the other.
fn filters(sums: &PatchSums, normalisation: &Normalisation) -> Vec<f32> {
    let length = sums.values.len();
    let moments = second_moments(sums, normalisation);
    let mut pairs = eigen::decompose(moments, length);
    pairs.sort_by(|one, other| other.value.total_cmp(&one.value));
    let half = |sign: f64| {
        pairs.iter().flat_map(move |pair| {
            let factor = sign / (pair.value.max(0.0) + EPSILON).sqrt();
            pair.vector.iter().map(move |value| (factor * value) as f32)
        })
    };
    half(1.0).chain(half(-1.0)).collect()
}

/// `E(p p^T)` of patches `p = a x + b`, from the sums over bytes `x`.
fn second_moments(sums: &PatchSums, normalisation: &Normalisation) -> Vec<f64> {
    let channels = normalisation.mean.len();
    let length = sums.values.len();
    let count = sums.patches.max(1) as f64;
    let (a, b): (Vec<f64>, Vec<f64>) = (0..length)
        .map(|index| (normalisation.mean[index % channels], normalisation.std[index % channels]))
        .map(|(mean, std)| (1.0 / (255.0 * std), -mean / std))
        .unzip();
    let mean = |i: usize| a[i] * sums.values[i] as f64 / count;
    let moment = |i: usize, j: usize| {
        let product = a[i] * a[j] * sums.products[i * length + j] as f64 / count;
        product + mean(i) * b[j] + b[i] * mean(j) + b[i] * b[j]
    };
    (0..length).flat_map(|i| (0..length).map(move |j| (i, j))).map(|(i, j)| moment(i, j)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};
    use rand::Rng;

    /// Images of noise with gradients, so that neighbouring pixels and channels are correlated.
    fn images(count: usize, shape: ImageShape) -> Split {
        let mut stream = Stream::new(3, Purpose::Init, 0);
        let images = (0..count * shape.pixels()).map(|index| {
            let place = index % (shape.height * shape.width);
            (place / shape.width * 9 + (stream.next_u32() % 61) as usize) as u8
        });
        Split { images: images.collect(), labels: vec![0; count], ..Split::default() }
    }

    #[test]
    fn whitened_patches_have_variance_one_and_no_correlation() {
        let shape = ImageShape { channels: 3, height: 9, width: 7 };
        let (split, side, length) = (images(40, shape), 2, 12);
        let normalisation = Normalisation { mean: vec![0.2, 0.25, 0.3], std: vec![0.2, 0.25, 0.3] };
        let filters = filters(&patches::sums(&split, shape, side, IMAGES), &normalisation);
        assert_eq!(filters.len(), 2 * length * length);
        let (first, rest) = filters.split_at(length * length);
        assert!(first.iter().zip(rest).all(|(one, other)| *one == -*other));
        // Compute the moments directly from every patch of the images.
        let mut moments = vec![0.0; length * length];
        let mut patches = 0.0;
        let plane = shape.height * shape.width;
        for image in split.images.chunks_exact(shape.pixels()) {
            for (row, column) in (0..8).flat_map(|row| (0..6).map(move |column| (row, column))) {
                let patch: Vec<f64> = (0..length)
                    .map(|index| {
                        let (cell, channel) = (index / 3, index % 3);
                        let place = (row + cell / 2) * shape.width + column + cell % 2;
                        let pixel = f64::from(image[channel * plane + place]) / 255.0;
                        (pixel - normalisation.mean[channel]) / normalisation.std[channel]
                    })
                    .collect();
                let whitened: Vec<f64> = first
                    .chunks_exact(length)
                    .map(|filter| filter.iter().zip(&patch).map(|(f, p)| f64::from(*f) * p).sum())
                    .collect();
                for i in 0..length {
                    for j in 0..length {
                        moments[i * length + j] += whitened[i] * whitened[j];
                    }
                }
                patches += 1.0;
            }
        }
        for i in 0..length {
            for j in 0..length {
                let found = moments[i * length + j] / patches;
                // Epsilon reduces directions with little variance; f32 filters leave a small
                // correlation.
                let is_right = if i == j { (0.95..=1.00001).contains(&found) } else { found.abs() < 1e-4 };
                assert!(is_right, "{i} {j}: {found}");
            }
        }
    }
}
