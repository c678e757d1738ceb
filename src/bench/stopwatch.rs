//! Timing of a recorded step: many launches are submitted before waiting for the device.

use std::time::Instant;

use super::Spread;
use super::subjects::Subject;
use crate::device::{Device, MOST_LAUNCHES, Session};
use crate::error::Result;
use crate::ops::fixture::Draft;
use crate::plan::{Launch, Plan, StepRecord};

/// Target duration of one measurement in seconds. It is long enough to make the overhead of
/// submission and waiting negligible.
const MEASUREMENT: f64 = 0.05;

/// Maximum and minimum number of measurements, for any budget.
const MOST_REPEATS: usize = 25;
const LEAST_REPEATS: usize = 3;

/// Maximum number of launches in one measurement.
const MOST: usize = 64 * MOST_LAUNCHES;

/// The time of a step and the kernels that it runs.
#[derive(Debug)]
pub(super) struct Timed {
    /// Seconds per launch.
    pub(super) seconds: Spread,
    pub(super) kernels: Vec<String>,
}

/// Times `subject`. All repeats together take about `budget` seconds.
pub(super) fn time(device: &dyn Device, subject: Subject, budget: f64) -> Result<Timed> {
    let Subject { fixture, element, batches, .. } = subject;
    let mut plan = Plan::new();
    let Draft { step, inputs, .. } = fixture.record(&mut plan, element);
    let mut session = device.load(plan)?;
    inputs.into_iter().try_for_each(|(tensor, array)| session.write(tensor, array))?;
    let rows = fixture.rows;
    let launch = |index: usize| {
        let first = (index % batches * rows) as u32;
        // The learning rate is so low that no weight diverges in a million steps.
        let record = StepRecord {
            first,
            rows: rows as u32,
            slot: 0,
            row_weight: 1.0,
            epoch: 0,
            step: 0,
            learning_rate: 1e-9,
            mean_scale: 1.0,
            root_scale: 1.0,
            average_share: 1.0,
        };
        Launch { step, record }
    };
    let target = MEASUREMENT.min(budget / LEAST_REPEATS as f64);
    // The warm-up run is not measured. It compiles kernels and touches memory for the first time.
    run(&mut *session, 1, launch)?;
    let mut count = 1;
    let mut seconds = run(&mut *session, count, launch)?;
    // The more launches, the smaller the overhead and the better the estimate.
    while seconds < 0.5 * target && count < MOST {
        let wanted = (count as f64 * target / seconds.max(1e-9)).ceil() as usize;
        count = wanted.clamp(count + 1, 16 * count).min(MOST);
        seconds = run(&mut *session, count, launch)?;
    }
    let repeats = ((budget / seconds) as usize).clamp(LEAST_REPEATS, MOST_REPEATS);
    let measure = |_| Ok(run(&mut *session, count, launch)? / count as f64);
    let seconds = Spread::of((0..repeats).map(measure).collect::<Result<_>>()?);
    Ok(Timed { seconds, kernels: session.kernels(step) })
}

/// Returns the seconds from the first submission of `count` launches to the end of the last.
fn run(session: &mut dyn Session, count: usize, launch: impl Fn(usize) -> Launch) -> Result<f64> {
    let launches: Vec<Launch> = (0..count).map(launch).collect();
    let started = Instant::now();
    let mut tickets = Vec::new();
    for launches in launches.chunks(MOST_LAUNCHES) {
        tickets.push(session.submit(launches, &[], 0)?);
    }
    for ticket in tickets {
        session.finish(ticket)?;
    }
    Ok(started.elapsed().as_secs_f64())
}
