//! The steps of a plan.

use super::op::Op;
use super::step_record::StepRecord;

/// Which of a plan's steps to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StepId(pub(super) usize);

/// The ops of one step, in the order in which they run.
#[derive(Debug)]
pub struct Step {
    /// For labels and error messages.
    pub name: &'static str,
    /// In the order in which they run.
    pub ops: Vec<Box<dyn Op>>,
}

/// One run of a step: which, and with what data.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    /// The step to run.
    pub step: StepId,
    /// Its data.
    pub record: StepRecord,
}

impl StepId {
    /// Position in [`Plan::steps`].
    pub fn index(self) -> usize {
        self.0
    }
}
