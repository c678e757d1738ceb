//! How pixels become the numbers that a model reads.

use super::Dataset;
use super::statistics::moments;

/// How pixels become the model's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Pixel / 255.
    Unit,
    /// Pixel / 255, less the channel's mean, by its standard deviation, over the training images.
    Standard,
}

impl Normalize {
    /// All of them.
    pub const ALL: [Normalize; 2] = [Normalize::Unit, Normalize::Standard];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Normalize::Unit => "unit",
            Normalize::Standard => "standard",
        }
    }
}

/// Mean and standard deviation per channel, of pixels scaled to [0, 1], that a model's inputs are
/// normalised with.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Normalisation {
    /// One per channel.
    pub mean: Vec<f64>,
    /// One per channel.
    pub std: Vec<f64>,
}

impl Normalisation {
    /// What `rule` means for this data set.
    pub fn of(rule: Normalize, dataset: &Dataset) -> Self {
        match rule {
            Normalize::Unit => {
                let channels = dataset.shape.channels;
                Normalisation { mean: vec![0.0; channels], std: vec![1.0; channels] }
            }
            Normalize::Standard => {
                let found = moments(&dataset.train, dataset.shape);
                // A channel that never changes has nothing to be divided by.
                let std = found.std.iter().map(|&std| if std > 0.0 { std } else { 1.0 });
                Normalisation { std: std.collect(), mean: found.mean }
            }
        }
    }

    /// `scale` and `shift` of each channel, for pixels as bytes.
    pub(crate) fn factors(&self) -> Vec<f32> {
        let channels = self.mean.iter().zip(&self.std);
        channels
            .flat_map(|(mean, std)| [1.0 / (255.0 * std), -mean / std])
            .map(|value| value as f32)
            .collect()
    }
}
