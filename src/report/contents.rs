//! The contents of a report.

use super::examination::Examination;
use super::record::Record;
use crate::checkpoint::SavedModel;

/// The contents of a report.
#[derive(Debug)]
pub struct Report<'a> {
    /// The files of the run's directory.
    pub record: &'a Record,
    /// The model whose first layer is shown.
    pub model: Option<&'a SavedModel>,
    /// The predictions of the model for the test images.
    pub findings: Findings,
}

/// The predictions of a model, as far as they are known.
#[derive(Debug)]
pub enum Findings {
    /// The model was evaluated.
    Made(Box<Examination>),
    /// The model will be evaluated when training ends.
    Pending,
    /// The model was not evaluated. The text gives the reason.
    Missing(String),
}
