//! Sums up the metrics of steps.

use serde::{Deserialize, Serialize};

use super::submission_result::{StepSums, SubmissionResult};

/// Sums over the images of a pass.
///
/// Every image has the same weight, including those of a smaller last batch. Sums are accumulated
/// run by run, in order, so they do not depend on the number of runs per submission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Number of runs of the step so far.
    pub(super) runs: usize,
    /// Number of images of those runs. Missing in checkpoints of old versions: see
    /// [`Totals::counted`].
    #[serde(default)]
    images: usize,
    sums: StepSums,
    penalties: f64,
    /// Number of images of the runs whose penalties were measured.
    #[serde(alias = "penalty_steps")]
    penalty_images: usize,
}

impl Totals {
    pub(super) fn add(&mut self, measured: &SubmissionResult) {
        for sums in &measured.runs {
            self.sums.loss += sums.loss;
            self.sums.correct += sums.correct;
        }
        self.runs += measured.runs.len();
        self.images += measured.images;
        for penalty in &measured.penalties {
            self.penalties += penalty;
        }
        self.penalty_images += measured.penalty_images;
    }

    /// Converts the totals of an old checkpoint, which are sums of the means of steps of
    /// `images_per_step` images each, to sums over `images` images.
    pub(super) fn counted(self, images: usize, images_per_step: usize) -> Self {
        if self.images > 0 || self.runs == 0 {
            return self;
        }
        let factor = images_per_step as f64;
        Totals {
            images,
            sums: StepSums { loss: factor * self.sums.loss, correct: (factor * self.sums.correct).round() },
            penalties: factor * self.penalties,
            penalty_images: images_per_step * self.penalty_images,
            ..self
        }
    }

    /// Number of images so far.
    pub(super) fn images(&self) -> usize {
        self.images
    }

    /// Mean cross-entropy, without the penalty.
    pub(super) fn cross_entropy(&self) -> f64 {
        self.sums.loss / self.images as f64
    }

    /// Accuracy, 0 to 1.
    pub(super) fn accuracy(&self) -> f64 {
        self.sums.correct / self.images as f64
    }

    /// Mean of the measured penalties; 0 if there are none.
    pub(super) fn penalty(&self) -> f64 {
        self.penalties / self.penalty_images.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_count_the_same_whatever_the_size_of_their_batch() {
        let run = |loss, correct| StepSums { loss, correct };
        let measured = |first, images, runs: Vec<StepSums>, penalties: Vec<f64>| SubmissionResult {
            first,
            images,
            runs,
            penalties,
            penalty_images: images,
            norms: Vec::new(),
        };
        let mut totals = Totals::default();
        totals.add(&measured(0, 16, vec![run(8.0, 4.0), run(16.0, 8.0)], vec![0.8, 1.6]));
        totals.add(&measured(2, 1, vec![run(10.0, 0.0)], vec![0.3]));
        assert_eq!(totals.images(), 17);
        assert!((totals.cross_entropy() - 2.0).abs() < 1e-12);
        assert!((totals.accuracy() - 12.0 / 17.0).abs() < 1e-12);
        assert!((totals.penalty() - 2.7 / 17.0).abs() < 1e-12);
    }

    #[test]
    fn totals_of_older_checkpoints_are_counted_in_images() {
        let text = r#"{"runs":3,"sums":{"loss":4.5,"hits":1.75},"penalties":0.3,"penalty_steps":3}"#;
        let old: Totals = serde_json::from_str(text).expect("it is as it was written");
        let now = old.counted(24, 8);
        assert_eq!((now.runs, now.images()), (3, 24));
        assert!((now.cross_entropy() - 1.5).abs() < 1e-12);
        assert!((now.accuracy() - 14.0 / 24.0).abs() < 1e-12);
        assert!((now.penalty() - 0.1).abs() < 1e-12);
        assert_eq!(now.counted(99, 3), now, "what is counted is not counted again");
        assert_eq!(Totals::default().counted(0, 8), Totals::default());
    }
}
