//! Evaluates a saved model on a split, or returns its logits.

use super::evaluation::{Evaluation, Mistake, cross_entropy};
use super::inference::Inference;
use super::views::Views;
use crate::checkpoint::SavedModel;
use crate::data::{ImageShape, Split};
use crate::device::Device;
use crate::error::Result;
use crate::ops::softmax_cross_entropy::largest;

/// Evaluates `model` on `split`, whose images must have the shape that the model was trained on.
///
/// The prediction for an image is the weighted mean of the logits of its `views`.
///
/// # Errors
/// If model, images, views and device do not fit each other.
pub fn evaluate(
    model: &SavedModel,
    split: Split,
    shape: ImageShape,
    views: Views,
    device: &dyn Device,
) -> Result<Evaluation> {
    let classes = model.about()?.classes.clone();
    views.check(shape)?;
    let mut tally = Tally::new(classes.len());
    let loss = match views {
        Views::One => {
            let mut loss = 0.0;
            let mut inference = Inference::new(model, split, shape, device)?;
            inference.run(|batch| {
                loss += batch.loss;
                tally.add(batch.logits, batch.labels);
            })?;
            loss
        }
        Views::Mirror | Views::MirrorShifts => {
            let labels = split.labels.clone();
            let logits = views.logits(model, split, shape, device)?;
            tally.add(&logits, &labels);
            let rows = logits.chunks_exact(classes.len()).zip(&labels);
            rows.map(|(logits, &label)| cross_entropy(logits, label as usize)).sum()
        }
    };
    let Tally { confusion, mut mistakes, images } = tally;
    mistakes.sort_by(|one, other| other.loss.total_cmp(&one.loss));
    let correct: u64 = confusion.iter().enumerate().map(|(class, row)| row[class]).sum();
    let count = images as f64;
    Ok(Evaluation { loss: loss / count, accuracy: correct as f64 / count, classes, confusion, mistakes })
}

/// The predictions so far: confusion matrix and mistakes.
struct Tally {
    confusion: Vec<Vec<u64>>,
    mistakes: Vec<Mistake>,
    images: usize,
}

impl Tally {
    fn new(classes: usize) -> Self {
        Tally { confusion: vec![vec![0; classes]; classes], mistakes: Vec::new(), images: 0 }
    }

    fn add(&mut self, logits: &[f32], labels: &[u32]) {
        let classes = self.confusion.len();
        for (logits, &label) in logits.chunks_exact(classes).zip(labels) {
            let class = label as usize;
            self.confusion[class][largest(logits)] += 1;
            self.mistakes.extend(Mistake::of(self.images, class, logits));
            self.images += 1;
        }
    }
}

/// The logits of `model` for each image of `split`, `[images, classes]`, in file order. Labels are
/// ignored.
///
/// # Errors
/// If model, images and device do not fit each other.
pub fn logits(model: &SavedModel, split: Split, shape: ImageShape, device: &dyn Device) -> Result<Vec<f32>> {
    let mut all = Vec::new();
    let labels = vec![0; split.len()];
    let mut inference = Inference::new(model, Split { labels, ..split }, shape, device)?;
    inference.run(|batch| all.extend_from_slice(batch.logits))?;
    Ok(all)
}
