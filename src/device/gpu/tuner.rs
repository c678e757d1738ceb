//! Picks the fastest way to run an op where there are several, and remembers it.
//!
//! Ways are timed on the plan's own buffers before anything was written to them: all are zeros then, and every op
//! leaves zeros behind. All ways give the same result, so what is picked changes nothing but the speed.

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

/// Choices by key: which of its ways is the fastest.
pub type Choices = BTreeMap<String, String>;

/// Topic of the tuner's cache file.
pub const TOPIC: &str = "tuning";

/// Whether and how a GPU finds out which kernels suit it.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Where results are cached; `None` keeps them for the process only.
    pub folder: Option<PathBuf>,
}

/// How long the launches of one measurement take together, at least.
const MEASUREMENT: Duration = Duration::from_millis(2);

/// Most launches of one measurement.
const MOST_LAUNCHES: usize = 512;

/// Measurements of each way, of which the fastest counts.
const ROUNDS: usize = 5;

/// What a tuner needs of a plan on a device.
pub(super) struct Bench<'a> {
    pub(super) device: &'a wgpu::Device,
    pub(super) queue: &'a wgpu::Queue,
    pub(super) buffers: &'a [wgpu::Buffer],
    /// Records of zeros: a learning rate of nothing.
    pub(super) records: &'a wgpu::BindGroup,
}

/// Lowers ops, each in its fastest way.
pub(super) struct Tuner<'a> {
    bench: Bench<'a>,
    facts: GpuFacts,
    /// Whether choices are made at all.
    tuning: Option<&'a Tuning>,
    on_notice: fn(&Notice),
    cache: Option<CacheFile>,
    known: Choices,
    /// What has been measured since the start.
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

    /// How many choices of a plan have to be made by measuring.
    pub(super) fn open_choices(&self, plan: &Plan) -> usize {
        let choices = plan.steps().iter().flat_map(|step| &step.ops).filter_map(|op| self.choice(&**op));
        let open = choices.filter(|choice| self.known_way(choice).is_none());
        open.map(|choice| choice.key).collect::<BTreeSet<_>>().len()
    }

    /// The kernels of an op. Where they have to be measured first, `progress` receives the op.
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

    /// What an op leaves to the device, where choices are made at all.
    fn choice(&self, op: &dyn Op) -> Option<Choice> {
        self.tuning.and_then(|_| op.choice(&self.facts))
    }

    /// The way that was found to be the fastest. One that is not there any more is no reason to
    /// fail.
    fn known_way<'b>(&self, choice: &'b Choice) -> Option<&'b Way> {
        let label = self.found.get(&choice.key).or_else(|| self.known.get(&choice.key))?;
        choice.ways.iter().find(|way| way.label == *label)
    }

    /// Adds what was found to the cache file as it is now: another process may have written to it
    /// meanwhile. If it cannot be written, the next start takes longer, and nothing else.
    pub(super) fn store(self) {
        if let (Some(cache), false) = (self.cache, self.found.is_empty())
            && let known = cache.load::<Choices>().unwrap_or_default()
            && let Err(error) = cache.store(known.into_iter().chain(self.found).collect::<Choices>())
        {
            (self.on_notice)(&Notice::NotCached(error));
        }
    }

    /// The index of the fastest way.
    fn measure(&self, op: &dyn Op, choice: &Choice, pipelines: &mut Pipelines<'_>) -> usize {
        let ways: Vec<Vec<Prepared>> =
            choice.ways.iter().map(|way| self.prepare(&op.lower(&way.facts), pipelines)).collect();
        // The first launch is no measurement: it compiles.
        for way in &ways {
            self.bench.time(way, 1);
        }
        let launches: Vec<usize> = ways.iter().map(|way| self.bench.launches(way)).collect();
        let mut best = vec![Duration::MAX; ways.len()];
        // In turns, so that a moment in which the device was busy hits all ways alike.
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
    /// How many launches take long enough to be timed.
    fn launches(&self, way: &[Prepared]) -> usize {
        let mut launches = 1;
        while launches < MOST_LAUNCHES && self.time(way, launches) < MEASUREMENT {
            launches *= 2;
        }
        launches
    }

    /// How long that many launches take, one after the other.
    fn time(&self, way: &[Prepared], launches: usize) -> Duration {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for _ in 0..launches {
                encode(&mut pass, way, self.records, 0);
            }
        }
        // If the device was lost, any choice will do: the session finds out.
        time_by_waiting(self.device, self.queue, encoder.finish()).unwrap_or(Duration::MAX / 2)
    }
}
