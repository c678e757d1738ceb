//! Benchmarks the kernel variants of an op, picks the fastest, and caches the choice.
//!
//! Candidates are timed on the plan's buffers before any data are written. The buffers then contain
//! zeros, and every op keeps them zero. All candidates compute the same result, so the choice
//! affects only the speed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::cache::{CacheFile, Subject};
use super::pipelines::{Pipelines, UNIFORM_STRIDE, params_buffer};
use super::preparation::Progress;
use super::prepared::{Prepared, encode};
use super::timing::time_by_waiting;
use crate::device::notice::Notice;
use crate::kernel::{Dispatch, GpuFacts};
use crate::plan::{Candidate, Op, Plan, TuneSet};

/// The label of the fastest candidate for each choice, by its key.
pub type Choices = BTreeMap<String, String>;

/// Topic of the tuner's cache file.
pub const TOPIC: &str = "tuning";

/// Options for tuning the kernels of a GPU.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Cache file for the results; `None` keeps them only in the process.
    pub folder: Option<PathBuf>,
}

/// Minimum time of all launches of one measurement.
const MEASUREMENT: Duration = Duration::from_millis(2);

/// Maximum number of launches of one measurement.
const MOST_LAUNCHES: usize = 512;

/// Number of measurements of each candidate. The fastest one counts.
const ROUNDS: usize = 5;

/// The parts of a session that the tuner uses.
pub(super) struct Bench<'a> {
    pub(super) device: &'a wgpu::Device,
    pub(super) queue: &'a wgpu::Queue,
    pub(super) buffers: &'a [wgpu::Buffer],
    /// Step records that are all zeros, so that the learning rate is 0.
    pub(super) records: &'a wgpu::BindGroup,
}

/// Lowers each op to its fastest kernels.
pub(super) struct Tuner<'a> {
    bench: Bench<'a>,
    facts: GpuFacts,
    /// The tuning options; `None` uses the default kernels.
    tuning: Option<&'a Tuning>,
    on_notice: fn(&Notice),
    cache: Option<CacheFile>,
    known: Choices,
    /// Choices that this tuner has measured.
    found: Choices,
    subject: Subject,
}

impl<'a> Tuner<'a> {
    pub(super) fn new(
        bench: Bench<'a>,
        facts: GpuFacts,
        tuning: Option<&'a Tuning>,
        on_notice: fn(&Notice),
        subject: Subject,
    ) -> Self {
        let folder = tuning.and_then(|tuning| tuning.folder.as_deref());
        let cache = folder.map(|folder| CacheFile::new(folder, TOPIC, subject.clone()));
        let known = cache.as_ref().and_then(CacheFile::load).unwrap_or_default();
        Tuner { bench, facts, tuning, on_notice, cache, known, found: Choices::new(), subject }
    }

    /// Counts the tune sets of a plan that have to be measured.
    pub(super) fn open_sets(&self, plan: &Plan) -> usize {
        let sets = plan.steps().iter().flat_map(|step| &step.ops).filter_map(|op| self.tune_set(&**op));
        let open = sets.filter(|set| self.known_candidate(set).is_none());
        open.map(|set| set.key).collect::<BTreeSet<_>>().len()
    }

    /// Returns the dispatches of an op. If its candidates have to be measured first, this is
    /// reported to `progress`.
    pub(super) fn lower(
        &mut self,
        op: &dyn Op,
        pipelines: &mut Pipelines<'_>,
        progress: &mut Progress<'_>,
    ) -> Vec<Dispatch> {
        let Some(set) = self.tune_set(op) else { return op.lower(&self.facts) };
        if let Some(candidate) = self.known_candidate(&set) {
            return op.lower(&candidate.facts);
        }
        if self.found.is_empty() {
            (self.on_notice)(&Notice::Tuning(self.subject.adapter.clone()));
        }
        progress.next(&set.key);
        let fastest = self.measure(op, &set, pipelines);
        self.found.insert(set.key, set.candidates[fastest].label.clone());
        op.lower(&set.candidates[fastest].facts)
    }

    /// Returns the tune set of an op, if tuning is enabled.
    fn tune_set(&self, op: &dyn Op) -> Option<TuneSet> {
        self.tuning.and_then(|_| op.tune_set(&self.facts))
    }

    /// Returns the fastest candidate; `None` if it was not measured or no longer exists.
    fn known_candidate<'b>(&self, set: &'b TuneSet) -> Option<&'b Candidate> {
        let label = self.found.get(&set.key).or_else(|| self.known.get(&set.key))?;
        set.candidates.iter().find(|candidate| candidate.label == *label)
    }

    /// Adds the results to the current content of the cache file, which another process may have
    /// changed meanwhile. If the file cannot be written, the next start only takes longer.
    pub(super) fn store(self) {
        if let (Some(cache), false) = (self.cache, self.found.is_empty())
            && let known = cache.load::<Choices>().unwrap_or_default()
            && let Err(error) = cache.store(known.into_iter().chain(self.found).collect::<Choices>())
        {
            (self.on_notice)(&Notice::NotCached(error));
        }
    }

    /// Returns the index of the fastest candidate.
    fn measure(&self, op: &dyn Op, set: &TuneSet, pipelines: &mut Pipelines<'_>) -> usize {
        let candidates: Vec<Vec<Prepared>> = set
            .candidates
            .iter()
            .map(|candidate| self.prepare(&op.lower(&candidate.facts), pipelines))
            .collect();
        // The first launch is not measured, because it compiles the kernel.
        for candidate in &candidates {
            self.bench.time(candidate, 1);
        }
        let launches: Vec<usize> =
            candidates.iter().map(|candidate| self.bench.launches(candidate)).collect();
        let mut best = vec![Duration::MAX; candidates.len()];
        // Measurements are interleaved, so that other load on the device affects all candidates.
        for _ in 0..ROUNDS {
            for ((candidate, &launches), best) in candidates.iter().zip(&launches).zip(&mut best) {
                *best = (*best).min(self.bench.time(candidate, launches) / launches as u32);
            }
        }
        let (fastest, _) =
            best.iter().enumerate().min_by_key(|(_, time)| **time).expect("a tune set has candidates");
        fastest
    }

    fn prepare(&self, dispatches: &[Dispatch], pipelines: &mut Pipelines<'_>) -> Vec<Prepared> {
        let Bench { device, queue, buffers, .. } = self.bench;
        let params = params_buffer(device, dispatches.len());
        let mut prepared = Vec::new();
        for (index, dispatch) in dispatches.iter().enumerate() {
            let offset = index as u64 * UNIFORM_STRIDE;
            queue.write_buffer(&params, offset, &dispatch.params);
            prepared.push(pipelines.prepare(dispatch, &params, offset, buffers));
        }
        prepared
    }
}

impl Bench<'_> {
    /// Returns the number of launches that take long enough to be timed.
    fn launches(&self, candidate: &[Prepared]) -> usize {
        let mut launches = 1;
        while launches < MOST_LAUNCHES && self.time(candidate, launches) < MEASUREMENT {
            launches *= 2;
        }
        launches
    }

    /// Measures the time of this number of launches in a row.
    fn time(&self, candidate: &[Prepared], launches: usize) -> Duration {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for _ in 0..launches {
                encode(&mut pass, candidate, self.records, 0);
            }
        }
        // If the device was lost, the choice does not matter: the session reports the loss.
        time_by_waiting(self.device, self.queue, encoder.finish()).unwrap_or(Duration::MAX / 2)
    }
}
