//! Measures a saved model on a split.

use super::evaluation::{Evaluation, Mistake};
use super::program::{Builder, SplitSize};
use super::resident::write_normalisation;
use crate::data::{ImageShape, Split};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::host::Array;
use crate::model::ModelSpec;
use crate::ops::softmax_cross_entropy::largest;
use crate::plan::{Launch, StepRecord};
use crate::run::SavedModel;

/// Measures `model` on `split`, whose images must have the shape that the model was trained with.
pub fn evaluate(
    model: &SavedModel,
    split: Split,
    shape: ImageShape,
    device: &dyn Device,
) -> Result<Evaluation> {
    let about = model.about.as_ref().ok_or_else(|| {
        Error::model("the file does not say which model its weights belong to")
            .advise("give it with --model, or evaluate a file that shadegrad wrote")
    })?;
    if about.shape != [shape.channels, shape.height, shape.width] {
        let [channels, height, width] = about.shape;
        return Err(Error::model(format!(
            "the model takes images of {channels}x{height}x{width}, but the data set has {}x{}x{}",
            shape.channels, shape.height, shape.width
        ))
        .advise("evaluate on the kind of data that the model was trained on (--data)"));
    }
    let classes = about.classes.len();
    if let Some(label) = split.labels.iter().find(|&&label| label as usize >= classes) {
        return Err(Error::model(format!(
            "the data set has a class {label}, but the model knows only {classes} classes"
        ))
        .advise("evaluate on the kind of data that the model was trained on (--data)"));
    }
    let mut builder = Builder::new(&ModelSpec::parse(&about.model, classes)?, shape);
    let size = SplitSize { count: split.len(), shape, largest: device.largest_tensor() };
    let (pass, logits) = builder.evaluate(size)?;
    let mut session = device.load(builder.plan)?;
    write_normalisation(&mut *session, builder.normalisation, &about.normalisation)?;
    let parameters: Vec<_> = session.plan().parameters().cloned().collect();
    for parameter in parameters {
        let values = model.values(&parameter.name, parameter.tensor.shape().sizes())?;
        session.write(parameter.tensor, Array::F32(values.to_vec()))?;
    }
    let labels = split.labels.clone();
    pass.split.write(&mut *session, split, shape)?;

    let mut confusion = vec![vec![0; classes]; classes];
    let mut mistakes = Vec::new();
    let (mut loss, mut hits) = (0.0, 0.0);
    for (index, labels) in labels.chunks(pass.batch).enumerate() {
        let record = StepRecord {
            first: (index * pass.batch) as u32,
            rows: labels.len() as u32,
            slot: 0,
            row_weight: 1.0,
            learning_rate: 0.0,
        };
        let ticket = session.submit(&[Launch { step: pass.step, record }], &[pass.metrics], 1)?;
        let metrics = session.finish(ticket)?;
        for pair in metrics[0].chunks_exact(2) {
            loss += f64::from(pair[0]);
            hits += f64::from(pair[1]);
        }
        let values = session.read(logits)?.into_f32();
        for (row, (logits, &label)) in values.chunks_exact(classes).zip(labels).enumerate() {
            let (image, class) = (index * pass.batch + row, label as usize);
            confusion[class][largest(logits)] += 1;
            mistakes.extend(Mistake::of(image, class, logits));
        }
    }
    mistakes.sort_by(|one, other| other.loss.total_cmp(&one.loss));
    let count = labels.len() as f64;
    Ok(Evaluation {
        loss: loss / count,
        accuracy: hits / count,
        classes: about.classes.clone(),
        confusion,
        mistakes,
    })
}
