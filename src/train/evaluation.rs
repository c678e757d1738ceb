//! The result of an evaluation, and the metrics derived from it.

use serde::{Deserialize, Serialize};

use crate::data::statistics::Majority;
use crate::ops::softmax_cross_entropy::largest;

/// Evaluation of a model on a split. The JSON omits the mistakes: there can be as many as images.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Evaluation {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Accuracy, 0 to 1: the fraction of images whose largest logit is that of their class.
    pub accuracy: f64,
    /// Class names.
    pub classes: Vec<String>,
    /// Confusion matrix: rows are true classes, columns predicted classes.
    pub confusion: Vec<Vec<u64>>,
    /// Every misclassified image, highest loss first.
    #[serde(skip)]
    pub mistakes: Vec<Mistake>,
}

/// A misclassified image.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct Mistake {
    /// Index of the image in the split.
    pub image: usize,
    /// Index of the true class.
    pub class: usize,
    /// Index of the predicted class.
    pub answer: usize,
    /// Probability of the predicted class, 0 to 1.
    pub confidence: f64,
    /// Cross-entropy of the image with respect to its true class.
    pub loss: f64,
}

impl Mistake {
    /// The mistake in `logits` for the image at index `image`, or `None` if the prediction is
    /// correct.
    pub(super) fn of(image: usize, class: usize, logits: &[f32]) -> Option<Self> {
        let answer = largest(logits);
        if answer == class {
            return None;
        }
        let confidence = (-cross_entropy(logits, answer)).exp();
        Some(Mistake { image, class, answer, confidence, loss: cross_entropy(logits, class) })
    }
}

pub(super) fn cross_entropy(logits: &[f32], class: usize) -> f64 {
    let most = f64::from(logits[largest(logits)]);
    let below = |logit: f32| f64::from(logit) - most;
    let sum: f64 = logits.iter().map(|&logit| below(logit).exp()).sum();
    sum.ln() - below(logits[class])
}

/// Precision, recall and F1 of one class; `None` where a denominator is 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassReport<'a> {
    /// Name of the class.
    pub name: &'a str,
    /// Fraction of the images predicted as this class that belong to it.
    pub precision: Option<f64>,
    /// Fraction of the images of this class that were predicted as such.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall.
    pub f1: Option<f64>,
    /// Number of images of the class.
    pub images: u64,
}

/// How often one class is predicted as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Number of images.
    pub count: u64,
    /// Index of the true class.
    pub class: usize,
    /// Index of the predicted class.
    pub answer: usize,
}

impl Evaluation {
    /// Number of evaluated images.
    pub fn images(&self) -> u64 {
        self.confusion.iter().flatten().sum()
    }

    /// The most frequent true class, and its fraction of the images: the accuracy of always
    /// predicting it. `None` if there are no images.
    pub fn majority(&self) -> Option<Majority> {
        let counts: Vec<u64> = self.confusion.iter().map(|row| row.iter().sum()).collect();
        Majority::of(&counts)
    }

    /// A report for each class, in class order.
    pub fn class_reports(&self) -> Vec<ClassReport<'_>> {
        let confusion = &self.confusion;
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let classes = self.classes.iter().enumerate();
        classes
            .map(|(class, name)| {
                let correct = confusion[class][class];
                let images = confusion[class].iter().sum();
                let answers: u64 = confusion.iter().map(|row| row[class]).sum();
                ClassReport {
                    name,
                    precision: share(correct, answers),
                    recall: share(correct, images),
                    // 2 p r / (p + r) with p = correct / answers and r = correct / images.
                    f1: share(2 * correct, answers + images),
                    images,
                }
            })
            .collect()
    }

    /// All confusions, most frequent first; equal counts stay in class order.
    pub fn confusions(&self) -> Vec<Confusion> {
        let mut found = Vec::new();
        for (class, row) in self.confusion.iter().enumerate() {
            let wrong = row.iter().enumerate().filter(|(answer, count)| *answer != class && **count > 0);
            found.extend(wrong.map(|(answer, &count)| Confusion { count, class, answer }));
        }
        found.sort_by_key(|found| std::cmp::Reverse(found.count));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation() -> Evaluation {
        Evaluation {
            loss: 0.5,
            accuracy: 0.7,
            classes: vec!["cat".into(), "dog".into(), "eel".into()],
            confusion: vec![vec![3, 1, 0], vec![2, 4, 0], vec![0, 0, 0]],
            mistakes: Vec::new(),
        }
    }

    #[test]
    fn shares_are_those_of_the_confusion_matrix() {
        let evaluation = evaluation();
        let reports = evaluation.class_reports();
        let cat = &reports[0];
        assert_eq!((cat.precision, cat.recall, cat.images), (Some(0.6), Some(0.75), 4));
        let f1 = 2.0 * 0.6 * 0.75 / (0.6 + 0.75);
        assert!((cat.f1.expect("there are cats") - f1).abs() < 1e-12);
        let eel = &reports[2];
        assert_eq!((eel.precision, eel.recall, eel.f1, eel.images), (None, None, None, 0));
    }

    #[test]
    fn the_majority_is_counted_by_what_images_are_not_by_answers() {
        let majority = evaluation().majority().expect("there are images");
        assert_eq!((majority.class, majority.share), (1, 0.6));
        let empty = Evaluation { confusion: vec![vec![0; 3]; 3], ..evaluation() };
        assert_eq!(empty.majority(), None);
    }

    #[test]
    fn confusions_are_listed_by_how_often_they_happen() {
        let found: Vec<_> =
            evaluation().confusions().iter().map(|one| (one.count, one.class, one.answer)).collect();
        assert_eq!(found, [(2, 1, 0), (1, 0, 1)]);
    }

    #[test]
    fn a_mistake_knows_how_sure_and_how_wrong_it_is() {
        // Probabilities 1/8, 5/8, 2/8.
        let logits = [1.0f32, 5.0, 2.0].map(f32::ln);
        assert_eq!(Mistake::of(7, 1, &logits), None);
        let mistake = Mistake::of(7, 2, &logits).expect("class 1 is the likeliest");
        assert_eq!((mistake.image, mistake.class, mistake.answer), (7, 2, 1));
        assert!((mistake.confidence - 0.625).abs() < 1e-6, "{mistake:?}");
        assert!((mistake.loss - 4f64.ln()).abs() < 1e-6, "{mistake:?}");
    }

    #[test]
    fn a_mistake_beyond_every_exponent_is_finite() {
        let mistake = Mistake::of(0, 0, &[-3e38, 3e38]).expect("class 1 is the likeliest");
        assert_eq!((mistake.confidence, mistake.loss), (1.0, f64::from(3e38f32) * 2.0));
    }
}
