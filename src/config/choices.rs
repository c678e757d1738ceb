//! Values of some settings: initial weights, the images that a run is validated on, and the metric
//! that decides.

use std::path::PathBuf;

use crate::nn::InitRule;
use crate::text::named::named;

/// Initial weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Init {
    /// An initialisation rule. It uses the seed.
    Rule(InitRule),
    /// A model file, or the folder of a run or checkpoint that contains one. Parameter names and
    /// shapes must match the model's.
    File(PathBuf),
}

/// The images that decide which epoch is best and when to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validation {
    /// The data set's own validation images. If it has none, the test images decide which epoch is
    /// best, and early stopping is not available.
    None,
    /// This fraction of the training images (above 0 and below 1). The run does not train on them.
    Share(f32),
    /// The test images, on request. The best epoch's test accuracy is then not an unbiased estimate
    /// of the accuracy on unseen images.
    Test,
}

impl Validation {
    /// The words that select a variant.
    pub const NAMES: [&'static str; 1] = ["test"];
}

named! {
    /// The metric that decides which epoch is best and whether the run still improves. It is
    /// measured on the validation images, or on the test images if there are none.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Monitor {
        /// Higher accuracy is better. Ties are broken by the lower loss.
        #[default]
        Accuracy = "accuracy",
        /// Lower loss is better. Ties are broken by the higher accuracy.
        Loss = "loss",
    }
}
