//! The evaluation of a model on the test images, and the file in the run's folder that stores it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::picture;
use crate::checkpoint::{SavedModel, weights_sha256};
use crate::data::statistics::Majority;
use crate::data::{ImageShape, Split};
use crate::error::{Error, Result};
use crate::fs::atomic;
use crate::run::event;
use crate::train::{ClassReport, Evaluation, Mistake};

/// File name in the folder of a run.
const NAME: &str = "evaluation.json";

/// Number of mistakes that are stored.
const MISTAKES: usize = 24;

/// The evaluation of a run's model on the test images, with everything that the page shows of it.
///
/// It is stored next to the page, so that the page can be written again without the images.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Examination {
    /// The evaluated checkpoint, such as `checkpoints/00009380`.
    pub checkpoint: String,
    /// Hash of the evaluated model; see [`weights_sha256`].
    pub weights_sha256: String,
    #[serde(flatten)]
    pub(super) evaluation: Evaluation,
    /// The worst mistakes, those with the highest confidence first.
    pub(super) mistakes: Vec<ShownMistake>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct ShownMistake {
    #[serde(flatten)]
    pub(super) mistake: Mistake,
    /// The file of the image, if it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    /// The image as a `data:` URL.
    pub(super) picture: String,
}

/// The contents of the file.
#[derive(Deserialize, Serialize)]
struct Kept<T> {
    schema: u32,
    #[serde(flatten)]
    examination: T,
}

/// The numbers, for programs that read the page.
#[derive(Serialize)]
pub(super) struct Numbers<'a> {
    checkpoint: &'a str,
    images: u64,
    loss: f64,
    accuracy: f64,
    /// Accuracy of always predicting the most frequent class.
    majority_accuracy: Option<f64>,
    classes: Vec<ClassReport<'a>>,
    confusion: &'a [Vec<u64>],
    mistakes: Vec<MistakeNumbers<'a>>,
}

#[derive(Serialize)]
struct MistakeNumbers<'a> {
    #[serde(flatten)]
    mistake: Mistake,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

impl Examination {
    /// Builds the evaluation of `model`, the model of `checkpoint`, on the images of `split`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if an image cannot be encoded.
    pub fn new(
        checkpoint: String,
        model: &SavedModel,
        evaluation: Evaluation,
        split: &Split,
        shape: ImageShape,
    ) -> Result<Self> {
        let Evaluation { mut mistakes, .. } = evaluation;
        mistakes.truncate(MISTAKES);
        let show = |mistake: Mistake| {
            let size = shape.pixels();
            let pixels = &split.images[mistake.image * size..][..size];
            let file = split.files.get(mistake.image).map(|file| file.display().to_string());
            Ok(ShownMistake { mistake, file, picture: picture::of_image(pixels, shape)? })
        };
        Ok(Examination {
            checkpoint,
            weights_sha256: weights_sha256(&model.tensors),
            evaluation: Evaluation { mistakes: Vec::new(), ..evaluation },
            mistakes: mistakes.into_iter().map(show).collect::<Result<_>>()?,
        })
    }

    /// Writes the evaluation to the folder `run`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be written.
    #[expect(clippy::missing_panics_doc, reason = "it holds by construction")]
    pub fn write(&self, run: &Path) -> Result<()> {
        let kept = Kept { schema: event::SCHEMA, examination: self };
        let json = serde_json::to_string(&kept).expect("plain values turn into JSON");
        atomic::write(&run.join(NAME), json.as_bytes())
    }

    /// Reads the evaluation from the folder `run`, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) if the file is damaged,
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if it cannot be read.
    pub fn read(run: &Path) -> Result<Option<Self>> {
        let path = run.join(NAME);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(Error::io(format!("read {}", path.display()), &cause)),
        };
        let damaged = |what: &str| {
            Error::model(format!("{} is damaged: {what}", path.display()))
                .advise("remove it and write the report again; this needs the data set")
        };
        let kept: Kept<Self> = serde_json::from_slice(&bytes).map_err(|cause| damaged(&cause.to_string()))?;
        if kept.examination.is_consistent() {
            Ok(Some(kept.examination))
        } else {
            Err(damaged("its classes and its counts do not match"))
        }
    }

    /// Whether every class has a row, a column and a name, because files are untrusted.
    fn is_consistent(&self) -> bool {
        let Evaluation { classes, confusion, .. } = &self.evaluation;
        let known = |class: usize| class < classes.len();
        let is_square =
            confusion.len() == classes.len() && confusion.iter().all(|row| row.len() == classes.len());
        let cells = confusion.iter().flatten().copied();
        // The limit keeps figures that are computed from the counts from overflowing.
        let images = cells.fold(0, u64::saturating_add) <= u64::MAX / 4;
        let mut mistakes = self.mistakes.iter().map(|shown| shown.mistake);
        is_square
            && images
            && mistakes.all(|mistake| known(mistake.class) && known(mistake.answer))
            && self.mistakes.iter().all(|shown| shown.picture.starts_with("data:image/png;base64,"))
    }

    /// Returns the most frequent class, and the accuracy of always predicting it.
    pub(super) fn majority(&self) -> Option<(&str, f64)> {
        let Majority { class, share: fraction } = self.evaluation.majority()?;
        Some((&self.evaluation.classes[class], fraction))
    }

    pub(super) fn numbers(&self) -> Numbers<'_> {
        let Evaluation { loss, accuracy, ref confusion, .. } = self.evaluation;
        let mistakes = self.mistakes.iter();
        Numbers {
            checkpoint: &self.checkpoint,
            images: self.evaluation.images(),
            loss,
            accuracy,
            majority_accuracy: self.majority().map(|(_, fraction)| fraction),
            classes: self.evaluation.class_reports(),
            confusion,
            mistakes: mistakes
                .map(|ShownMistake { mistake, file, .. }| MistakeNumbers {
                    mistake: *mistake,
                    file: file.as_deref(),
                })
                .collect(),
        }
    }
}
