//! Everything that a report shows.

use super::examination::Examination;
use super::record::Record;
use crate::checkpoint::SavedModel;

/// Everything that a report shows.
#[derive(Debug)]
pub struct Report<'a> {
    /// What the run's directory says.
    pub record: &'a Record,
    /// The model whose first layer is shown.
    pub model: Option<&'a SavedModel>,
    /// What it does with the test images.
    pub findings: Findings,
}

/// What is known about the model's answers.
#[derive(Debug)]
pub enum Findings {
    /// They were looked at.
    Made(Box<Examination>),
    /// They will be when the run has ended.
    Pending,
    /// They were not, and that is why.
    Missing(String),
}
