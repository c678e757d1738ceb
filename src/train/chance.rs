//! Detects a run that does not learn: its training loss is that of a constant prediction.

use crate::config::Config;
use crate::data::Split;
use crate::data::statistics::{Majority, class_counts};
use crate::optim::Algorithm;
use crate::remedy::Remedy;
use crate::train::epoch::Epoch;
use crate::train::observer::Warning;

/// Relative distance from the loss of a constant prediction within which a loss counts as equal.
const TOLERANCE: f64 = 0.01;

/// Standard deviations by which an accuracy must exceed that of the best constant prediction to
/// show that the model learns.
const DEVIATIONS: f64 = 3.0;

/// Steps within which no warning is given: a first epoch that is shorter proves nothing.
const STEPS: usize = 100;

/// Loss and accuracy of models that ignore the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chance {
    classes: usize,
    /// Cross-entropies of two constant predictions: uniform probabilities, which give
    /// `ln(classes)`, and the class frequencies, which give the entropy of the mean target.
    levels: [f64; 2],
    /// The highest accuracy that guessing may reach in an epoch, with a margin of [`DEVIATIONS`].
    accuracy: f64,
}

impl Chance {
    /// Computes the figures for these training images. Label smoothing mixes the targets with the
    /// uniform distribution, which moves the second level towards the first.
    pub(super) fn of(train: &Split, classes: usize, label_smoothing: f32) -> Chance {
        let counts: Vec<u64> = class_counts(train, classes).into_iter().map(|count| count as u64).collect();
        let (images, smoothing) = (train.len() as f64, f64::from(label_smoothing));
        let targets = counts
            .iter()
            .map(|&count| (1.0 - smoothing) * count as f64 / images + smoothing / classes as f64)
            .filter(|target| *target > 0.0);
        let entropy = targets.map(|target| -target * target.ln()).sum();
        let majority = Majority::of(&counts).map_or(1.0, |majority| majority.share);
        let deviation = (majority * (1.0 - majority) / images).sqrt();
        Chance {
            classes,
            levels: [(classes as f64).ln(), entropy],
            accuracy: majority + DEVIATIONS * deviation,
        }
    }

    /// Whether the epoch did no better than a constant prediction in both loss and accuracy. The
    /// loss alone is not enough: it may pass that level on its way down.
    fn explains(&self, epoch: &Epoch) -> bool {
        let is_beginning = epoch.epoch == 1 && epoch.step < STEPS;
        let near = |level: &f64| (epoch.train_cross_entropy - level).abs() <= TOLERANCE * level;
        !is_beginning && self.levels.iter().any(near) && epoch.train_accuracy <= self.accuracy
    }

    /// The warning after an epoch in which the model did not learn, with what to try.
    pub(super) fn warning(&self, epoch: &Epoch, config: &Config) -> Option<Warning> {
        self.explains(epoch).then(|| {
            let (loss, classes, lr) = (epoch.train_cross_entropy, self.classes, config.learning_rate);
            let mut hints = vec![("lr", "")];
            let mut remedies = vec![format!("a lower {{}} (it is {lr:?})")];
            if config.clip_norm.is_none() {
                remedies.push("{}".into());
                hints.push(("clip-norm", "1"));
            }
            if !matches!(config.optimizer.algorithm, Algorithm::Adam | Algorithm::AdamW) {
                remedies.push("{} {}".into());
                hints.extend([("optimizer", "adamw"), ("lr", "0.001")]);
            }
            let last = remedies.pop().map(|last| match remedies.len() {
                0 => last,
                _ => format!("{} or {last}", remedies.join(", ")),
            });
            let message = format!(
                "the training loss stayed at {loss:.3} for all of epoch {}, the level of guessing among \
                 {classes} classes: the model learns nothing",
                epoch.epoch
            );
            let sentence = format!("try {}", last.unwrap_or_default());
            Warning { message, remedy: Remedy::settings(sentence, hints) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(counts: &[usize]) -> Split {
        let labels = counts.iter().enumerate().flat_map(|(class, &count)| vec![class as u32; count]);
        Split { labels: labels.collect(), ..Split::default() }
    }

    fn epoch(train_cross_entropy: f64, train_accuracy: f64) -> Epoch {
        Epoch {
            epoch: 2,
            step: 20,
            train_loss: train_cross_entropy + 100.0,
            train_accuracy,
            test_loss: 0.0,
            test_accuracy: 0.0,
            train_cross_entropy,
            test_cross_entropy: 0.0,
            learning_rate: 0.1,
            seconds: 1.0,
            images_per_second: 1.0,
            validation: None,
        }
    }

    #[test]
    fn a_loss_at_the_level_of_guessing_learns_nothing() {
        let chance = Chance::of(&split(&[100; 7]), 7, 0.0);
        let level = 7f64.ln();
        assert!(chance.explains(&epoch(level, 0.14)));
        assert!(chance.explains(&epoch(1.009 * level, 0.16)));
        assert!(chance.explains(&epoch(0.991 * level, 0.10)));
        assert!(!chance.explains(&epoch(1.02 * level, 0.14)));
        assert!(!chance.explains(&epoch(0.98 * level, 0.14)));
        // The mean loss of a first epoch may be at this level by accident, on its way down.
        assert!(!chance.explains(&epoch(level, 0.25)));
    }

    #[test]
    fn a_short_first_epoch_is_only_a_beginning() {
        let chance = Chance::of(&split(&[100; 7]), 7, 0.0);
        let first = |step| Epoch { epoch: 1, step, ..epoch(7f64.ln(), 0.14) };
        assert!(!chance.explains(&first(99)));
        assert!(chance.explains(&first(100)));
    }

    #[test]
    fn answering_each_class_as_often_as_it_occurs_is_guessing_too() {
        let chance = Chance::of(&split(&[900, 100]), 2, 0.0);
        let entropy = -(0.9 * 0.9f64.ln() + 0.1 * 0.1f64.ln());
        assert!(chance.explains(&epoch(entropy, 0.9)));
        assert!(chance.explains(&epoch(2f64.ln(), 0.5)));
        assert!(!chance.explains(&epoch(0.5, 0.9)));
        assert!(!chance.explains(&epoch(entropy, 0.95)));
    }

    #[test]
    fn smoothed_labels_have_their_own_level() {
        let chance = Chance::of(&split(&[900, 100]), 2, 0.2);
        let entropy = -(0.82 * 0.82f64.ln() + 0.18 * 0.18f64.ln());
        assert!(chance.explains(&epoch(entropy, 0.9)));
        let balanced = Chance::of(&split(&[50; 10]), 10, 0.2);
        assert!(balanced.explains(&epoch(10f64.ln(), 0.1)));
    }

    #[test]
    fn classes_without_images_do_no_harm() {
        let chance = Chance::of(&split(&[50, 0, 50]), 3, 0.0);
        assert!(chance.explains(&epoch(2f64.ln(), 0.5)));
        assert!(chance.explains(&epoch(3f64.ln(), 0.5)));
    }
}
