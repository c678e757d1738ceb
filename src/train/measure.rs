//! Measures the weights as they are on a split, in the middle of a run.

use std::ops::ControlFlow;

use super::feed::{Feed, Pace, Sampling};
use super::metrics::Totals;
use crate::device::Session;
use crate::error::Result;
use crate::plan::StepRecord;
use crate::train::epoch::Measurement;
use crate::train::measured::Measured;
use crate::train::step::{Pass, Penalty};

/// Measures the weights on the images of `pass`.
pub(super) fn measure(
    session: &mut dyn Session,
    pace: &mut Pace,
    pass: &Pass,
    penalty: Option<&Penalty>,
) -> Result<Measurement> {
    let runs = pass.count.div_ceil(pass.batch);
    let mut totals = Totals::default();
    // The weights do not change, so one measurement of the penalty is all of them.
    let feed = Feed { pass, sampling: Sampling { penalty, interval: runs, health: None }, mean: false };
    let add = |measured: Measured| {
        totals.add(&measured);
        Ok(ControlFlow::Continue(()))
    };
    feed.run(session, pace, pass.count, 0..runs, |_| StepRecord::default(), add)?;
    let cross_entropy = totals.cross_entropy();
    Ok(Measurement { loss: cross_entropy + totals.penalty(), accuracy: totals.accuracy(), cross_entropy })
}
