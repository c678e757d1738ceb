//! Measures a saved model on a split, or asks it for its logits.

use super::evaluation::{Evaluation, Mistake};
use super::inference::Inference;
use crate::data::{ImageShape, Split};
use crate::device::Device;
use crate::error::Result;
use crate::ops::softmax_cross_entropy::largest;
use crate::run::SavedModel;

/// Measures `model` on `split`, whose images must have the shape that the model was trained with.
pub fn evaluate(
    model: &SavedModel,
    split: Split,
    shape: ImageShape,
    device: &dyn Device,
) -> Result<Evaluation> {
    let classes = model.about()?.classes.clone();
    let mut inference = Inference::new(model, split, shape, device)?;
    let mut confusion = vec![vec![0; classes.len()]; classes.len()];
    let mut mistakes = Vec::new();
    let (mut loss, mut hits, mut image) = (0.0, 0.0, 0);
    inference.run(|batch| {
        loss += batch.loss;
        hits += batch.hits;
        for (logits, &label) in batch.logits.chunks_exact(classes.len()).zip(batch.labels) {
            let class = label as usize;
            confusion[class][largest(logits)] += 1;
            mistakes.extend(Mistake::of(image, class, logits));
            image += 1;
        }
    })?;
    mistakes.sort_by(|one, other| other.loss.total_cmp(&one.loss));
    let count = inference.labels.len() as f64;
    Ok(Evaluation { loss: loss / count, accuracy: hits / count, classes, confusion, mistakes })
}

/// The logits of `model` for each of `split`'s images, `[images, classes]`, in file order. Labels
/// count for nothing.
pub fn logits(model: &SavedModel, split: Split, shape: ImageShape, device: &dyn Device) -> Result<Vec<f32>> {
    let mut all = Vec::new();
    let labels = vec![0; split.len()];
    let mut inference = Inference::new(model, Split { labels, ..split }, shape, device)?;
    inference.run(|batch| all.extend_from_slice(batch.logits))?;
    Ok(all)
}
