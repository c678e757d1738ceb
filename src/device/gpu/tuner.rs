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
use crate::plan::{Choice, Op, Plan, Way};

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

    /// Counts the choices of a plan that have to be measured.
    pub(super) fn open_choices(&self, plan: &Plan) -> usize {
        let choices = plan.steps().iter().flat_map(|step| &step.ops).filter_map(|op| self.choice(&**op));
        let open = choices.filter(|choice| self.known_way(choice).is_none());
        open.map(|choice| choice.key).collect::<BTreeSet<_>>().len()
    }

    /// Returns the dispatches of an op. If its candidates have to be measured first, this is
    /// reported to `progress`.
    pub(super) fn lower(
        &mut self,
        op: &dyn Op,
        pipelines: &mut Pipelines<'_>,
        progress: &mut Progress<'_>,
    ) -> Vec<Dispatch> {
        let Some(choice) = self.choice(op) else { return op.lower(&self.facts) };
        if let Some(way) = self.known_way(&choice) {
            return op.lower(&way.facts);
        }
        if self.found.is_empty() {
            (self.on_notice)(&Notice::Tuning(self.subject.adapter.clone()));
        }
        progress.next(&choice.key);
        let fastest = self.measure(op, &choice, pipelines);
        self.found.insert(choice.key, choice.ways[fastest].label.clone());
        op.lower(&choice.ways[fastest].facts)
    }

    /// Returns the choice that an op offers, if tuning is enabled.
    fn choice(&self, op: &dyn Op) -> Option<Choice> {
        self.tuning.and_then(|_| op.choice(&self.facts))
    }

    /// Returns the fastest candidate; `None` if it was not measured or no longer exists.
    fn known_way<'b>(&self, choice: &'b Choice) -> Option<&'b Way> {
        let label = self.found.get(&choice.key).or_else(|| self.known.get(&choice.key))?;
        choice.ways.iter().find(|way| way.label == *label)
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
    fn measure(&self, op: &dyn Op, choice: &Choice, pipelines: &mut Pipelines<'_>) -> usize {
        let ways: Vec<Vec<Prepared>> =
            choice.ways.iter().map(|way| self.prepare(&op.lower(&way.facts), pipelines)).collect();
        // The first launch is not measured, because it compiles the kernel.
        for way in &ways {
            self.bench.time(way, 1);
        }
        let launches: Vec<usize> = ways.iter().map(|way| self.bench.launches(way)).collect();
        let mut best = vec![Duration::MAX; ways.len()];
        // Measurements are interleaved, so that other load on the device affects all candidates.
        for _ in 0..ROUNDS {
            for ((way, &launches), best) in ways.iter().zip(&launches).zip(&mut best) {
                *best = (*best).min(self.bench.time(way, launches) / launches as u32);
            }
        }
        let (fastest, _) = best.iter().enumerate().min_by_key(|(_, time)| **time).expect("there are ways");
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
    fn launches(&self, way: &[Prepared]) -> usize {
        let mut launches = 1;
        while launches < MOST_LAUNCHES && self.time(way, launches) < MEASUREMENT {
            launches *= 2;
        }
        launches
    }

    /// Measures the time of this number of launches in a row.
    fn time(&self, way: &[Prepared], launches: usize) -> Duration {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for _ in 0..launches {
                encode(&mut pass, way, self.records, 0);
            }
        }
        // If the device was lost, the choice does not matter: the session reports the loss.
        time_by_waiting(self.device, self.queue, encoder.finish()).unwrap_or(Duration::MAX / 2)
    }
}
