//! A GPU as a device, through wgpu: Vulkan, Metal or DX12.
//!
//! [`adapter`] enumerates and opens GPUs, `preference` orders adapters, and [`compiler`] selects
//! the shader compiler. `pipelines` compiles kernels, `prepared` encodes dispatches, [`tuner`]
//! finds the fastest kernels by benchmarks, and [`preparation`] reports the progress of both.
//! `proof` checks cooperative matrices, [`cache`] caches results about an adapter on disk, and
//! `timing` times kernels for a profile. `session` owns a plan's buffers and submits its steps,
//! `context` is shared by sessions, and `faults` records asynchronous errors. No code outside this
//! folder uses wgpu.

pub mod adapter;
pub mod cache;
pub mod compiler;
mod context;
mod faults;
mod pipelines;
mod preference;
pub mod preparation;
mod prepared;
mod proof;
mod session;
mod timing;
pub mod tuner;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use adapter::{Capabilities, FoundAdapter, limits_that_matter};
use cache::{CacheFile, Subject};
use context::Context;
use faults::Faults;
use session::GpuSession;
use tuner::Tuning;

use super::info::DeviceInfo;
use super::interface::{Device, Session};
use super::notice::Notice;
use super::profile::Profile;
use super::verdict::{SelftestSummary, Verdict};
use crate::error::{Error, ErrorKind, Result};
use crate::kernel::GpuFacts;
use crate::plan::{Op, Plan};
use crate::tensor::{Element, Precision};

/// An open GPU.
#[derive(Debug)]
pub struct Gpu {
    instance: wgpu::Instance,
    context: Context,
    facts: GpuFacts,
    /// The facts for plans in f16, once cooperative matrices have been checked.
    f16_facts: OnceLock<GpuFacts>,
}

impl Gpu {
    /// Opens an adapter. Kernels are picked by heuristics, and none is disabled.
    ///
    /// # Errors
    /// [`ErrorKind::Device`] if the driver cannot open it.
    pub fn open(found: &FoundAdapter, capabilities: Capabilities) -> Result<Self> {
        let (device, queue) = found.open(capabilities)?;
        let facts = found.facts(capabilities);
        let DeviceInfo { name, backend, driver, .. } = found.info.clone();
        let subject = Subject {
            adapter: name,
            backend,
            driver,
            compiler: found.compiler.label().into(),
            subgroup_size: facts.subgroup_size,
            kernels: crate::ops::matmul::gpu::FINGERPRINT,
        };
        let context = Context {
            faults: Faults::listen(&device),
            device,
            queue,
            info: found.info.clone(),
            subject,
            tuning: None,
            on_notice: |_| {},
            observer: None,
            profile: None,
        };
        Ok(Gpu { instance: found.instance.clone(), context, facts, f16_facts: OnceLock::new() })
    }

    /// Enables tuning.
    #[must_use]
    pub fn with_tuning(mut self, tuning: Tuning) -> Self {
        self.context.tuning = Some(tuning);
        self
    }

    /// Sets a function that receives notices.
    #[must_use]
    pub fn on_notice(mut self, on_notice: fn(&Notice)) -> Self {
        self.context.on_notice = on_notice;
        self
    }

    /// Sets an observer for the preparation of each plan that is loaded.
    #[must_use]
    pub fn observed_by(mut self, observer: Box<dyn preparation::Observer>) -> Self {
        self.context.observer = Some(observer);
        self
    }

    /// Sets a profile that kernel times are added to.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.context.profile = Some(profile);
        self
    }

    /// Disables these tile classes of the matrix product, and f16 if `f16` is one of them.
    #[must_use]
    pub fn disable(mut self, classes: &[String]) -> Self {
        self.facts.disable(classes);
        self
    }

    /// Disables the kernels that a selftest found wrong, and adds the summary to the device's info.
    #[must_use]
    pub fn with_selftest(self, found: SelftestSummary) -> Self {
        let mut gpu = self.disable(&found.disabled);
        gpu.context.info.selftest = Some(found);
        gpu
    }

    /// Returns the properties by which kernels are picked.
    pub fn facts(&self) -> &GpuFacts {
        &self.facts
    }

    /// Returns the properties by which kernels are picked in plans with f16. These include which
    /// cooperative matrices are correct on this GPU, which the first call checks.
    pub fn f16_facts(&self) -> &GpuFacts {
        self.f16_facts.get_or_init(|| {
            let mut facts = GpuFacts { proven: true, ..self.facts };
            // Cooperative matrices of a software driver are not used.
            if facts.cooperative.is_some() && !facts.software {
                let wrong = self.wrong_cooperative_classes(|op| op);
                facts.disable(&wrong);
                if !wrong.is_empty() {
                    let gpu = self.context.info.name.clone();
                    (self.context.on_notice)(&Notice::WrongMatrices { gpu, classes: wrong });
                }
            }
            facts
        })
    }

    /// Checks the cooperative matrices of this GPU and returns the labels of the tile classes that
    /// are wrong. `alter` may replace their products, so that tests can see that errors are found.
    pub fn wrong_cooperative_classes(&self, alter: impl Fn(Box<dyn Op>) -> Box<dyn Op>) -> Vec<String> {
        proof::wrong(&self.context, &self.facts, &alter)
    }

    /// Returns the verdict that is cached in `folder` for this GPU, driver and set of kernels.
    pub fn cached_verdict(&self, folder: &Path) -> Option<Verdict> {
        self.verdict_file(folder).load()
    }

    /// Returns the file in `folder` that caches the verdict of a selftest.
    pub fn verdict_file(&self, folder: &Path) -> CacheFile {
        let subject = Subject { kernels: crate::ops::fingerprint(), ..self.context.subject.clone() };
        CacheFile::new(folder, "selftest", subject)
    }
}

impl Device for Gpu {
    fn info(&self) -> &DeviceInfo {
        &self.context.info
    }

    fn largest_tensor(&self) -> usize {
        self.context.largest_tensor()
    }

    fn limits(&self) -> BTreeMap<&'static str, u64> {
        limits_that_matter(&self.context.device.limits()).into()
    }

    fn has_f16(&self) -> bool {
        self.facts.f16
    }

    fn kernel_facts(&self, precision: Precision) -> Option<GpuFacts> {
        Some(match precision {
            Precision::F32 => self.facts,
            Precision::F16 => *self.f16_facts(),
        })
    }

    fn is_lost(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::Device
    }

    fn save_verdict(&self, folder: &Path, verdict: &Verdict) -> Result<()> {
        self.verdict_file(folder).store(verdict)
    }

    fn allocated_bytes(&self) -> Option<u64> {
        self.context.device.generate_allocator_report().map(|report| report.total_allocated_bytes)
    }

    fn live_objects(&self) -> Vec<(&'static str, usize)> {
        let report = self.instance.generate_report().expect("the backends all are wgpu's own");
        let hub = report.hub;
        vec![
            ("devices", hub.devices.num_allocated),
            ("buffers", hub.buffers.num_allocated),
            ("bind groups", hub.bind_groups.num_allocated),
            ("bind group layouts", hub.bind_group_layouts.num_allocated),
            ("pipeline layouts", hub.pipeline_layouts.num_allocated),
            ("compute pipelines", hub.compute_pipelines.num_allocated),
            ("shader modules", hub.shader_modules.num_allocated),
            ("command encoders", hub.command_encoders.num_allocated),
            ("command buffers", hub.command_buffers.num_allocated),
            ("query sets", hub.query_sets.num_allocated),
        ]
    }

    fn load(&self, plan: Plan) -> Result<Box<dyn Session>> {
        let has_halves = plan.has(Element::F16);
        assert!(!has_halves || self.facts.f16, "{} has no 16-bit floats", self.context.info.name);
        let facts = if has_halves { self.f16_facts() } else { &self.facts };
        Ok(Box::new(GpuSession::new(&self.context, facts, plan)?))
    }
}
