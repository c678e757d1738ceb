//! Submits steps to a device: many steps per submission, several submissions in flight, and metrics
//! read back later.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use super::divergence::NormProbe;
use super::step::{Penalty, SLOTS, Slots, SplitStep};
use super::submission_result::{StepSums, SubmissionResult};
use crate::device::{MOST_LAUNCHES, Session, Ticket};
use crate::error::Result;
use crate::plan::{Launch, StepRecord};
use crate::tensor::Tensor;

/// Target duration of one submission: long enough to hide its overhead, short enough for a progress
/// bar, for Ctrl-C and for driver time-outs.
const SUBMISSION: Duration = Duration::from_millis(100);

/// Submissions in flight: the device works on one while the next is queued.
const IN_FLIGHT: usize = 2;

/// Chooses the number of runs per submission from the duration of the last ones.
#[derive(Debug)]
pub(super) struct SubmissionSizer {
    runs: usize,
    last: Instant,
}

impl SubmissionSizer {
    pub(super) fn new() -> Self {
        SubmissionSizer { runs: 1, last: Instant::now() }
    }

    fn start(&mut self) {
        self.last = Instant::now();
    }

    /// Records that `runs` more runs have just finished.
    fn done(&mut self, runs: usize) {
        let now = Instant::now();
        let each = now.duration_since(self.last).as_secs_f64() / runs as f64;
        self.last = now;
        let wanted = (SUBMISSION.as_secs_f64() / each.max(1e-9)) as usize;
        self.runs = wanted.clamp(1, 4 * self.runs).min(SLOTS);
    }
}

/// What is measured in addition to the losses, and how often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling<'a> {
    pub(super) penalty: Option<&'a Penalty>,
    /// The penalty is measured before one run of every `interval`, the one in the middle.
    pub(super) interval: usize,
    /// The step that measures norms. It runs before the first run of a submission, and then before
    /// every n-th.
    pub(super) norm_probe: Option<(&'a NormProbe, usize)>,
}

impl Sampling<'_> {
    /// Maximum number of runs per submission, so that all launches fit.
    fn most_runs(&self) -> usize {
        let kinds = 1 + usize::from(self.penalty.is_some()) + usize::from(self.norm_probe.is_some());
        SLOTS.min(MOST_LAUNCHES / kinds)
    }
}

/// Runs a step over the first images of a split, in the split's order.
pub(super) struct Submitter<'a> {
    pub(super) pass: &'a SplitStep,
    pub(super) sampling: Sampling<'a>,
    /// Whether losses and gradients are means over the images of an optimizer step, not sums.
    pub(super) mean: bool,
}

struct InFlight {
    ticket: Ticket,
    first: usize,
    runs: usize,
    /// Number of images in each run.
    rows: Vec<usize>,
    penalty_slots: Vec<usize>,
    norm_slots: Vec<usize>,
}

impl Submitter<'_> {
    /// Runs these runs of the step. All runs of the pass together cover the first `images` images.
    ///
    /// `record_for(step)` returns the step's data. `on_result` runs for every submission, in order;
    /// if it breaks, submissions in flight still finish and are reported.
    pub(super) fn run(
        &self,
        session: &mut dyn Session,
        sizer: &mut SubmissionSizer,
        images: usize,
        Range { start: mut next, end: mut runs }: Range<usize>,
        record_for: impl Fn(usize) -> StepRecord,
        mut on_result: impl FnMut(SubmissionResult) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let mut in_flight = VecDeque::new();
        sizer.start();
        while next < runs || !in_flight.is_empty() {
            if next < runs && in_flight.len() < IN_FLIGHT {
                let count = sizer.runs.min(runs - next).min(self.sampling.most_runs());
                let records = (next..next + count).map(|run| self.record(run, images, &record_for));
                in_flight.push_back(self.submit(session, next, records)?);
                next += count;
                continue;
            }
            let oldest: InFlight = in_flight.pop_front().expect("something is in flight");
            let count = oldest.runs;
            let measured = self.finish(session, oldest)?;
            sizer.done(count);
            if on_result(measured)?.is_break() {
                runs = next;
            }
        }
        Ok(())
    }

    /// The data of the `run`-th run of the pass; the slot is left at 0.
    pub(super) fn record(
        &self,
        run: usize,
        images: usize,
        record_for: &impl Fn(usize) -> StepRecord,
    ) -> StepRecord {
        let first = run * self.pass.batch;
        let rows = self.pass.batch.min(images - first);
        let row_weight = 1.0 / self.images_of_mean(rows) as f32;
        StepRecord {
            first: first as u32,
            rows: rows as u32,
            slot: 0,
            row_weight,
            ..record_for(first / self.pass.images_per_step)
        }
    }

    /// The number of images in one mean, in a run of `rows` images; 1 if the metrics are sums.
    fn images_of_mean(&self, rows: usize) -> usize {
        if self.mean { rows.min(self.pass.images_per_step) } else { 1 }
    }

    fn submit(
        &self,
        session: &mut dyn Session,
        first: usize,
        records: impl Iterator<Item = StepRecord>,
    ) -> Result<InFlight> {
        let mut launches = Vec::new();
        let (mut penalty_slots, mut norm_slots) = (Vec::new(), Vec::new());
        let mut rows = Vec::new();
        for (slot, record) in records.enumerate() {
            let record = StepRecord { slot: slot as u32, ..record };
            if let Some(penalty) = self.sampling.penalty
                && (first + slot) % self.sampling.interval == self.sampling.interval / 2
            {
                penalty_slots.push(slot);
                launches.push(Launch { step: penalty.step, record });
            }
            if let Some((norm_probe, interval)) = self.sampling.norm_probe
                && slot % interval == 0
            {
                norm_slots.push(slot);
                launches.push(Launch { step: norm_probe.step, record });
            }
            launches.push(Launch { step: self.pass.step, record });
            rows.push(record.rows as usize);
        }
        let runs = rows.len();
        let ticket = session.submit(&launches, &self.rings(&penalty_slots), runs)?;
        Ok(InFlight { ticket, first, runs, rows, penalty_slots, norm_slots })
    }

    fn rings(&self, penalty_slots: &[usize]) -> Vec<Tensor> {
        let mut rings = vec![self.pass.metrics];
        if let (Some(penalty), false) = (self.sampling.penalty, penalty_slots.is_empty()) {
            rings.extend(&penalty.rings);
        }
        if let Some((norm_probe, _)) = self.sampling.norm_probe {
            rings.extend(&norm_probe.rings);
        }
        rings
    }

    fn finish(&self, session: &mut dyn Session, done: InFlight) -> Result<SubmissionResult> {
        let rings = session.finish(done.ticket)?;
        let (metrics, squares) = rings.split_first().expect("the first ring holds the losses");
        // The rings of the norms come last.
        let norm_ring_count = self.sampling.norm_probe.map_or(0, |(norm_probe, _)| norm_probe.rings.len());
        let (squares, norm_squares) = squares.split_at(squares.len() - norm_ring_count);
        let slots: Vec<&[f32]> = metrics.chunks_exact(metrics.len() / done.runs).collect();
        let pairs = slots.iter().map(|slot| match self.pass.slots {
            Slots::Pairs => slot,
            Slots::Blocks => &slot[..2],
        });
        let runs = pairs.zip(&done.rows).map(|(pairs, &rows)| step_sums(pairs, self.images_of_mean(rows)));
        let runs = runs.collect();
        let (mut penalties, mut penalty_images) = (Vec::new(), 0);
        for &slot in &done.penalty_slots {
            let penalty = self.sampling.penalty.expect("a slot is listed only where there is a penalty");
            let images = done.rows[slot];
            penalty_images += images;
            match (self.pass.slots, slots[slot]) {
                (Slots::Blocks, &[_, _, kept, added]) => {
                    // Every step of a block has one image and its own penalty. The penalty of the
                    // first weight follows from its squares before the block.
                    let first = f64::from(kept) * penalty.squares(0, squares, slot);
                    penalties.push(penalty.factor * (first + f64::from(added)));
                }
                _ => penalties.push(penalty.value(squares, slot) * images as f64),
            }
        }
        let norms = self.sampling.norm_probe.into_iter().flat_map(|(norm_probe, _)| {
            let slots = done.norm_slots.iter();
            slots.map(move |&slot| norm_probe.norms(done.first + slot, norm_squares, slot))
        });
        let images = done.rows.iter().sum();
        Ok(SubmissionResult {
            first: done.first,
            images,
            runs,
            penalties,
            penalty_images,
            norms: norms.collect(),
        })
    }
}

/// Sums over the images of a run, from its partial sums, which the device divided by `divisor`.
fn step_sums(pairs: &[f32], divisor: usize) -> StepSums {
    let [loss, correct] =
        [0, 1].map(|place| pairs.chunks_exact(2).map(|pair| f64::from(pair[place])).sum::<f64>());
    // Counts are whole numbers; rounding undoes the error of the division.
    StepSums { loss: loss * divisor as f64, correct: (correct * divisor as f64).round() }
}
