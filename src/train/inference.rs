//! Runs the forward pass of a saved model over images, on a device.

use super::dataset_on_device::write_normalisation;
use super::program::RunPlanBuilder;
use super::tensors;
use crate::checkpoint::SavedModel;
use crate::data::{ImageShape, Split};
use crate::device::{Device, Session};
use crate::error::{Error, Result};
use crate::plan::{Launch, StepRecord};
use crate::remedy::Remedy;
use crate::tensor::Tensor;
use crate::train::step::{SplitSize, SplitStep};

/// A model and a split on a device.
pub(super) struct Inference {
    session: Box<dyn Session>,
    pass: SplitStep,
    logits: Tensor,
    shape: ImageShape,
    /// Class of each image, in file order.
    pub(super) labels: Vec<u32>,
}

/// The result of one batch.
pub(super) struct Outcome<'a> {
    /// Summed cross-entropy.
    pub(super) loss: f64,
    /// `[images, classes]`.
    pub(super) logits: &'a [f32],
    /// Class of each image.
    pub(super) labels: &'a [u32],
}

impl Inference {
    /// Loads model and images.
    pub(super) fn new(
        model: &SavedModel,
        split: Split,
        shape: ImageShape,
        device: &dyn Device,
    ) -> Result<Self> {
        let about = model.about()?;
        if about.shape != [shape.channels, shape.height, shape.width] {
            let [channels, height, width] = about.shape;
            return Err(Error::model(format!(
                "the model takes images of {channels}x{height}x{width}, but the data set has {}x{}x{}",
                shape.channels, shape.height, shape.width
            ))
            .advise(Remedy::settings(
                "give the kind of data that the model was trained on ({})",
                [("data", "")],
            )));
        }
        let classes = about.classes.len();
        if let Some(label) = split.labels.iter().find(|&&label| label as usize >= classes) {
            return Err(Error::model(format!(
                "the data set has a class {label}, but the model knows only {classes} classes"
            ))
            .advise(Remedy::settings(
                "give the kind of data that the model was trained on ({})",
                [("data", "")],
            )));
        }
        if split.is_empty() {
            return Err(Error::data("there is no image in this split of the data").advise(Remedy::settings(
                "name another with {}, or all of them with {}",
                [("split", ""), ("split", "all")],
            )));
        }
        let mut builder = RunPlanBuilder::new(&about.spec()?, shape);
        let size = SplitSize { count: split.len(), shape, largest: device.largest_tensor() };
        let (pass, logits) = builder.evaluate(size)?;
        builder.plan.share_scratch(&[logits]);
        let mut session = device.load(builder.plan)?;
        write_normalisation(&mut *session, builder.normalisation, &about.normalisation)?;
        tensors::take_model(&mut *session, model)?;
        let labels = split.labels.clone();
        pass.split.write(&mut *session, split, shape)?;
        Ok(Inference { session, pass, logits, shape, labels })
    }

    /// Replaces the images; labels stay.
    pub(super) fn replace(&mut self, images: Vec<u8>) -> Result<()> {
        let split = Split { images, labels: self.labels.clone(), ..Split::default() };
        self.pass.split.write(&mut *self.session, split, self.shape)
    }

    /// Runs the model over all images and calls `each` for every batch, in file order.
    pub(super) fn run(&mut self, mut each: impl FnMut(Outcome<'_>)) -> Result<()> {
        for (index, labels) in self.labels.chunks(self.pass.batch).enumerate() {
            let record = StepRecord {
                first: (index * self.pass.batch) as u32,
                rows: labels.len() as u32,
                row_weight: 1.0,
                ..StepRecord::default()
            };
            let launch = Launch { step: self.pass.step, record };
            let ticket = self.session.submit(&[launch], &[self.pass.metrics], 1)?;
            let metrics = self.session.finish(ticket)?;
            let loss = metrics[0].chunks_exact(2).map(|pair| f64::from(pair[0])).sum();
            let logits = self.session.read(self.logits)?.into_f32();
            let [_, classes] = self.logits.matrix("logits");
            let logits = &logits[..labels.len() * classes];
            each(Outcome { loss, logits, labels });
        }
        Ok(())
    }
}
