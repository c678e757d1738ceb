//! Normalisation of pixels to the model's input.

use super::Dataset;
use super::statistics::moments;
use crate::text::named::named;

named! {
    /// The rule for normalising pixels.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Normalize {
        /// Pixels are scaled to 0..1: pixel / 255.
        Unit = "unit",
        /// Pixels are scaled to 0..1, then to mean 0 and standard deviation 1 per channel over the
        /// training images.
        Standard = "standard",
    }
}

/// The mean and standard deviation per channel by which a model's inputs are normalised, for pixels
/// scaled to [0, 1].
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Normalisation {
    /// Mean of each channel.
    pub mean: Vec<f64>,
    /// Standard deviation of each channel.
    pub std: Vec<f64>,
}

impl Normalisation {
    /// Computes the normalisation that `rule` gives for this data set.
    pub fn of(rule: Normalize, dataset: &Dataset) -> Self {
        match rule {
            Normalize::Unit => {
                let channels = dataset.shape.channels;
                Normalisation { mean: vec![0.0; channels], std: vec![1.0; channels] }
            }
            Normalize::Standard => {
                let found = moments(&dataset.train, dataset.shape);
                // A constant channel is not scaled.
                let std = found.std.iter().map(|&std| if std > 0.0 { std } else { 1.0 });
                Normalisation { std: std.collect(), mean: found.mean }
            }
        }
    }

    /// Returns `scale` and `shift` of each channel, for pixels as bytes.
    pub(crate) fn factors(&self) -> Vec<f32> {
        let channels = self.mean.iter().zip(&self.std);
        channels
            .flat_map(|(mean, std)| [1.0 / (255.0 * std), -mean / std])
            .map(|value| value as f32)
            .collect()
    }
}
