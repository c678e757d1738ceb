//! What a run is validated on, and by which figure.

/// The images that say which epoch of the run is best, and when to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validation {
    /// The validation images that the data has. Where it has none, the test images say which epoch
    /// is best, and nothing in the run follows from it.
    None,
    /// This share of the training images, above 0 and below 1, which the run does not train on.
    Share(f32),
    /// The test images, because somebody asked for it: the best epoch's test accuracy is then no
    /// measure of how good the model is on images that nobody has seen.
    Test,
}

impl Validation {
    /// The words that stand for one of them.
    pub const NAMES: [&'static str; 1] = ["test"];
}

/// The figure that says which epoch is best, and whether the run still improves. It is that of the
/// validation images, or of the test images where there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Monitor {
    /// The higher accuracy is better; of equal accuracies, that with the lower loss.
    #[default]
    Accuracy,
    /// The lower loss is better; of equal losses, that with the higher accuracy.
    Loss,
}

impl Monitor {
    /// All of them.
    pub const ALL: [Monitor; 2] = [Monitor::Accuracy, Monitor::Loss];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Monitor::Accuracy => "accuracy",
            Monitor::Loss => "loss",
        }
    }
}
