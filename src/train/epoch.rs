//! The metrics of a complete epoch.

/// Metrics of one epoch. Losses include the L2 penalty, cross-entropies do not.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Optimizer steps since the start of the run.
    pub step: usize,
    /// Mean training loss over the epoch's images, penalty included. Each image is measured with
    /// the weights before its step.
    pub train_loss: f64,
    /// Training accuracy, 0 to 1: the fraction of the epoch's images that were classified correctly
    /// in their step.
    pub train_accuracy: f64,
    /// Test loss after the epoch, penalty included.
    pub test_loss: f64,
    /// Test accuracy after the epoch, 0 to 1.
    pub test_accuracy: f64,
    /// Mean training cross-entropy over the epoch's images, without the penalty.
    pub train_cross_entropy: f64,
    /// Test cross-entropy after the epoch, without the penalty.
    pub test_cross_entropy: f64,
    /// Learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Seconds of training, without evaluation.
    pub seconds: f64,
    /// Images per second of training, without evaluation.
    pub images_per_second: f64,
    /// Metrics on the validation images after the epoch, if there are validation images.
    #[serde(flatten)]
    pub validation: Option<Measurement>,
}

/// Loss and accuracy on a split. The JSON names are those of the validation split.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Measurement {
    /// Mean loss, penalty included.
    #[serde(rename = "validation_loss")]
    pub loss: f64,
    /// Accuracy, 0 to 1.
    #[serde(rename = "validation_accuracy")]
    pub accuracy: f64,
    /// Mean cross-entropy, without the penalty.
    #[serde(rename = "validation_cross_entropy")]
    pub cross_entropy: f64,
}
