//! Chooses the images of a gradient check: images that are at no kink.

use std::ops::RangeInclusive;

use super::values::Values;
use super::wide::{Trace, WideModel};
use crate::data::{Dataset, Normalisation, Split};
use crate::error::{Error, Result};
use crate::nn::Size;
use crate::remedy::Remedy;

/// Number of times that images at kinks are replaced before the batch shrinks.
const ROUNDS: usize = 4;

/// Images for which no ReLU and no max pool is at a kink.
pub(super) struct Batch {
    pub(super) split: Split,
    /// Their forward pass.
    pub(super) trace: Trace,
    pub(super) left_out: usize,
}

/// Chooses the first suitable images of the data set, normalised, in the layout that the model
/// reads.
///
/// With a batch norm, every image affects the activations of the others, so replacing some images
/// may move others to a kink. In deep models almost every image has a value near a kink. So the
/// batch shrinks until no image is at one.
pub(super) fn smooth(
    wide: &WideModel,
    dataset: &Dataset,
    normalisation: &Normalisation,
    size: Size,
    images_wanted: RangeInclusive<usize>,
) -> Result<Batch> {
    let pixels = dataset.shape.pixels();
    let mut images = dataset.train.images.chunks_exact(pixels).zip(&dataset.train.labels);
    let (mut chosen, mut left_out) = (Vec::new(), 0);
    let (least, mut wanted) = images_wanted.into_inner();
    for round in 0.. {
        chosen.extend(images.by_ref().take(wanted - chosen.len()));
        if chosen.len() < least {
            break;
        }
        let values = chosen.iter().flat_map(|(image, _)| normalised(image, dataset, normalisation, size));
        let trace = wide.forward(Values { size, values: values.collect() });
        let at_kinks = trace.at_kinks();
        if !at_kinks.contains(&true) {
            let mut split = Split::default();
            for (image, &label) in chosen {
                split.images.extend(image);
                split.labels.push(label);
            }
            return Ok(Batch { split, trace, left_out });
        }
        left_out += at_kinks.iter().filter(|&&at_kink| at_kink).count();
        let mut at_kinks = at_kinks.into_iter();
        chosen.retain(|_| at_kinks.next() == Some(false));
        if round >= ROUNDS {
            wanted = (wanted * 3 / 4).max(least);
            chosen.truncate(wanted);
        }
    }
    Err(Error::data(
        "no image of the data has a gradient: a ReLU or a max pool is at its kink for each of them",
    )
    .advise(Remedy::settings("use other first weights ({}, {})", [("init", ""), ("seed", "")])))
}

/// The values of an image in the layout of `size`: channels last for a map, channels first for a
/// row.
fn normalised(
    image: &[u8],
    dataset: &Dataset,
    Normalisation { mean, std }: &Normalisation,
    size: Size,
) -> Vec<f64> {
    let channels = dataset.shape.channels;
    let plane = image.len() / channels;
    let value = |cell: usize, channel: usize| {
        (f64::from(image[channel * plane + cell]) / 255.0 - mean[channel]) / std[channel]
    };
    let places = |outer, inner| (0..outer).flat_map(move |one| (0..inner).map(move |other| [one, other]));
    match size {
        Size::Map { .. } => places(plane, channels).map(|[cell, channel]| value(cell, channel)).collect(),
        Size::Row(_) => places(channels, plane).map(|[channel, cell]| value(cell, channel)).collect(),
    }
}
