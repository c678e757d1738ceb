//! The steps of a plan.

use super::op::Op;
use super::step_record::StepRecord;

/// Identifies a step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StepId(pub(super) usize);

/// The ops of one step, in the order in which they run.
#[derive(Debug)]
pub struct Step {
    /// Name for labels and messages.
    pub name: &'static str,
    /// The ops in order.
    pub ops: Vec<Box<dyn Op>>,
}

/// One run of a step.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    /// The step to run.
    pub step: StepId,
    /// The data of this run.
    pub record: StepRecord,
}

impl StepId {
    /// Index in [`Plan::steps`](super::Plan::steps).
    pub fn index(self) -> usize {
        self.0
    }
}
