//! Evaluates the current weights on a split during a run.

use std::ops::ControlFlow;

use super::metrics::Totals;
use super::submission::{Sampling, SubmissionSizer, Submitter};
use crate::device::Session;
use crate::error::Result;
use crate::plan::StepRecord;
use crate::train::epoch::Measurement;
use crate::train::step::{Penalty, SplitStep};
use crate::train::submission_result::SubmissionResult;

/// Evaluates the weights on the images of `pass`.
pub(super) fn measure(
    session: &mut dyn Session,
    sizer: &mut SubmissionSizer,
    pass: &SplitStep,
    penalty: Option<&Penalty>,
) -> Result<Measurement> {
    let runs = pass.count.div_ceil(pass.batch);
    let mut totals = Totals::default();
    // The weights do not change during the pass, so the penalty is measured once.
    let submitter =
        Submitter { pass, sampling: Sampling { penalty, interval: runs, norm_probe: None }, mean: false };
    let add = |measured: SubmissionResult| {
        totals.add(&measured);
        Ok(ControlFlow::Continue(()))
    };
    submitter.run(session, sizer, pass.count, 0..runs, |_| StepRecord::default(), add)?;
    let cross_entropy = totals.cross_entropy();
    Ok(Measurement { loss: cross_entropy + totals.penalty(), accuracy: totals.accuracy(), cross_entropy })
}
