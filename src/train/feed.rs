//! Feeds a device with steps: many in one submission, more than one submission on its way, and
//! metrics read late.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::program::{Pass, Penalty, SLOTS};
use crate::device::{Session, Ticket};
use crate::error::Result;
use crate::plan::{Launch, StepRecord};
use crate::tensor::Tensor;

/// How long the work of one submission should take: long enough for its overhead to vanish, short
/// enough for a progress bar, for Ctrl-C and for the time-outs of drivers.
const SUBMISSION: Duration = Duration::from_millis(100);

/// Submissions that a device may have before it: one to work on, one to go on with.
const IN_FLIGHT: usize = 2;

/// What the steps of a submission measured.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// Index of the submission's first step in the pass.
    pub(super) first: usize,
    /// Of each step: losses and hits, weighted and added up.
    pub(super) steps: Vec<Sums>,
    /// Penalties, of those steps where it was measured.
    pub(super) penalties: Vec<f64>,
}

/// What one step measured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    /// Weighted losses.
    pub(super) loss: f64,
    /// Weighted hits.
    pub(super) hits: f64,
}

/// Decides how many steps go into a submission, from how long the last ones took.
#[derive(Debug)]
pub(super) struct Pace {
    steps: usize,
    last: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Pace { steps: 1, last: Instant::now() }
    }

    fn start(&mut self) {
        self.last = Instant::now();
    }

    /// `steps` more steps were found done just now.
    fn done(&mut self, steps: usize) {
        let now = Instant::now();
        let each = now.duration_since(self.last).as_secs_f64() / steps as f64;
        self.last = now;
        let wanted = (SUBMISSION.as_secs_f64() / each.max(1e-9)) as usize;
        self.steps = wanted.clamp(1, 4 * self.steps).min(SLOTS);
    }
}

/// What is measured beside the losses: the penalty, every so many steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling<'a> {
    pub(super) penalty: Option<&'a Penalty>,
    /// The penalty is measured at every `interval`-th step, in the middle of the interval.
    pub(super) interval: usize,
}

/// Runs the steps `first..last` of a pass over a split.
///
/// `rate` gives each step's learning rate; `mean` decides whether a step's sums are means over its
/// rows or plain sums. `each` is told of every submission, in order, and may end the pass by an
/// error.
pub(super) struct Feed<'a> {
    pub(super) pass: &'a Pass,
    pub(super) sampling: Sampling<'a>,
    pub(super) mean: bool,
}

struct InFlight {
    ticket: Ticket,
    first: usize,
    steps: usize,
    penalty_slots: Vec<usize>,
}

impl Feed<'_> {
    pub(super) fn run(
        &self,
        session: &mut dyn Session,
        pace: &mut Pace,
        steps: std::ops::Range<usize>,
        rate: impl Fn(usize) -> f32,
        mut each: impl FnMut(Measured) -> Result<()>,
    ) -> Result<()> {
        let mut next = steps.start;
        let mut in_flight = VecDeque::new();
        pace.start();
        while next < steps.end || !in_flight.is_empty() {
            if next < steps.end && in_flight.len() < IN_FLIGHT {
                let count = pace.steps.min(steps.end - next);
                in_flight.push_back(self.submit(session, next, count, &rate)?);
                next += count;
                continue;
            }
            let oldest: InFlight = in_flight.pop_front().expect("something is in flight");
            let count = oldest.steps;
            let measured = self.finish(session, oldest)?;
            pace.done(count);
            each(measured)?;
        }
        Ok(())
    }

    fn submit(
        &self,
        session: &mut dyn Session,
        first: usize,
        count: usize,
        rate: &impl Fn(usize) -> f32,
    ) -> Result<InFlight> {
        let mut launches = Vec::with_capacity(2 * count);
        let mut penalty_slots = Vec::new();
        for slot in 0..count {
            let step = first + slot;
            let image = step * self.pass.batch;
            let rows = self.pass.batch.min(self.pass.count - image);
            let record = StepRecord {
                first: image as u32,
                rows: rows as u32,
                slot: slot as u32,
                row_weight: if self.mean { 1.0 / rows as f32 } else { 1.0 },
                learning_rate: rate(step),
            };
            if let Some(penalty) = self.sampling.penalty
                && step % self.sampling.interval == self.sampling.interval / 2
            {
                penalty_slots.push(slot);
                launches.push(Launch { step: penalty.step, record });
            }
            launches.push(Launch { step: self.pass.step, record });
        }
        let ticket = session.submit(&launches, &self.rings(&penalty_slots), count)?;
        Ok(InFlight { ticket, first, steps: count, penalty_slots })
    }

    fn rings(&self, penalty_slots: &[usize]) -> Vec<Tensor> {
        let mut rings = vec![self.pass.metrics];
        if let (Some(penalty), false) = (self.sampling.penalty, penalty_slots.is_empty()) {
            rings.extend(&penalty.rings);
        }
        rings
    }

    fn finish(&self, session: &mut dyn Session, done: InFlight) -> Result<Measured> {
        let rings = session.finish(done.ticket)?;
        let (metrics, squares) = rings.split_first().expect("the first ring holds the losses");
        let width = metrics.len() / done.steps;
        let sums = |slot: &[f32]| {
            slot.chunks_exact(2).fold(Sums::default(), |sums, pair| Sums {
                loss: sums.loss + f64::from(pair[0]),
                hits: sums.hits + f64::from(pair[1]),
            })
        };
        let penalty = |&slot: &usize| {
            let penalty = self.sampling.penalty.expect("a slot is listed only where there is a penalty");
            penalty.value(squares, slot)
        };
        Ok(Measured {
            first: done.first,
            steps: metrics.chunks_exact(width).map(sums).collect(),
            penalties: done.penalty_slots.iter().map(penalty).collect(),
        })
    }
}
