//! What a complete epoch has measured.

/// Said at the end of each epoch. Losses include the L2 penalty, cross-entropies do not.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Optimizer steps since the start of the run.
    pub step: usize,
    /// Mean over the epoch's images, each with the weights that its step began with; penalty
    /// included.
    pub train_loss: f64,
    /// Share of the epoch's images that were classified correctly in their step, 0 to 1.
    pub train_accuracy: f64,
    /// Over the test images after the epoch, penalty included.
    pub test_loss: f64,
    /// Over the test images after the epoch, 0 to 1.
    pub test_accuracy: f64,
    /// Mean over the epoch's images, without the penalty.
    pub train_cross_entropy: f64,
    /// Over the test images after the epoch, without the penalty.
    pub test_cross_entropy: f64,
    /// Of the epoch's last step.
    pub learning_rate: f64,
    /// Training only.
    pub seconds: f64,
    /// Training only.
    pub images_per_second: f64,
    /// Over the validation images after the epoch, where there are any.
    #[serde(flatten)]
    pub validation: Option<Measurement>,
}

/// How good the weights are on some images. As JSON, those are the validation images.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Measurement {
    /// Penalty included.
    #[serde(rename = "validation_loss")]
    pub loss: f64,
    /// 0 to 1.
    #[serde(rename = "validation_accuracy")]
    pub accuracy: f64,
    /// Without the penalty.
    #[serde(rename = "validation_cross_entropy")]
    pub cross_entropy: f64,
}
