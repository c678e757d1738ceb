//! A GPU as a device, through wgpu: Vulkan, Metal or DX12.
//!
//! [`adapter`] finds and opens it, `preference` says which comes first, [`compiler`] what compiles
//! its kernels. `pipelines` turns kernel rows into pipelines, [`tuner`] finds out which kernels are
//! fastest, [`preparation`] says how far both are, `proof` what cooperative matrices are worth,
//! [`memory`] keeps what was found out of an adapter, `timing` times them for a profile, `session`
//! holds a plan's buffers and submits its steps, `faults` keeps what goes wrong behind the host's
//! back. This folder is the only place in the crate that knows wgpu.

pub mod adapter;
pub mod compiler;
mod faults;
pub mod memory;
mod pipelines;
mod preference;
pub mod preparation;
mod proof;
mod session;
mod timing;
pub mod tuner;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use adapter::{Capabilities, FoundAdapter, limits_that_matter};
use compiler::ShaderCompiler;
use faults::Faults;
use memory::{Memory, Subject};
use session::GpuSession;
use tuner::Tuning;

use super::profile::Profile;
use super::{Device, DeviceInfo, Selftested, Session};
use crate::error::Result;
use crate::kernel::GpuFacts;
use crate::plan::Plan;
use crate::tensor::Element;

/// An opened GPU.
#[derive(Debug)]
pub struct Gpu {
    instance: wgpu::Instance,
    device: wgpu::Device,
    queue: wgpu::Queue,
    faults: Faults,
    facts: GpuFacts,
    /// The same, once cooperative matrices were proven.
    facts_of_halves: OnceLock<GpuFacts>,
    info: DeviceInfo,
    compiler: ShaderCompiler,
    tuning: Option<Tuning>,
    /// Told, in a line, what takes time or went wrong.
    tell: fn(&str),
    observer: Option<Box<dyn preparation::Observer>>,
    profile: Option<Profile>,
}

impl Gpu {
    /// Opens an adapter; kernels are chosen by rule. Fails if the driver refuses.
    pub fn open(found: &FoundAdapter, capabilities: Capabilities) -> Result<Self> {
        let (device, queue) = found.open(capabilities)?;
        Ok(Gpu {
            instance: found.instance.clone(),
            faults: Faults::listen(&device),
            device,
            queue,
            facts: found.facts(capabilities),
            facts_of_halves: OnceLock::new(),
            info: found.info.clone(),
            compiler: found.compiler.clone(),
            tuning: None,
            tell: |_| {},
            observer: None,
            profile: None,
        })
    }

    /// The same GPU, which finds out by measuring which kernels are fastest.
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Gpu { tuning: Some(tuning), ..self }
    }

    /// The same GPU, which tells, a line at a time, what takes time or went wrong.
    pub fn telling(self, tell: fn(&str)) -> Self {
        Gpu { tell, ..self }
    }

    /// The same GPU, which tells `observer` how far it is with the kernels of each plan that it
    /// loads.
    pub fn observed_by(self, observer: Box<dyn preparation::Observer>) -> Self {
        Gpu { observer: Some(observer), ..self }
    }

    /// The same GPU, which adds the time of kernels to `profile`.
    pub fn with_profile(self, profile: Profile) -> Self {
        Gpu { profile: Some(profile), ..self }
    }

    /// What choices of kernels depend on.
    fn subject(&self) -> Subject {
        Subject {
            adapter: self.info.name.clone(),
            backend: self.info.backend.clone(),
            driver: self.info.driver.clone(),
            compiler: self.compiler.label().into(),
            subgroup_size: self.facts.subgroup_size,
            kernels: crate::ops::matmul::gpu::FINGERPRINT,
        }
    }

    /// The same GPU, which does without these classes of the matrix product.
    pub fn without(mut self, classes: &[String]) -> Self {
        self.facts.bar(classes);
        self
    }

    /// The same GPU, which says of itself what a selftest found, and does without what was wrong.
    pub fn heeding(mut self, found: Selftested) -> Self {
        self.facts.bar(&found.without);
        self.info.selftest = Some(found);
        self
    }

    /// What kernels may know about this GPU.
    pub fn facts(&self) -> &GpuFacts {
        &self.facts
    }

    /// What kernels may know where a plan has floats of 16 bits: also which cooperative matrices are right on this
    /// GPU, which the first call finds out.
    pub fn facts_of_halves(&self) -> &GpuFacts {
        self.facts_of_halves.get_or_init(|| {
            let mut facts = GpuFacts { proven: true, ..self.facts };
            // A software driver's are not used.
            if facts.cooperative.is_some() && !facts.software {
                let wrong = proof::wrong(self, &|op| op);
                if !wrong.is_empty() {
                    (self.tell)(&format!(
                        "cooperative matrices are wrong on {}: products do without {}",
                        self.info.name,
                        wrong.join(", ")
                    ));
                }
                facts.bar(&wrong);
            }
            facts
        })
    }

    /// How many of each kind of object live on the driver's side: in a run, as many after a million steps as after a
    /// hundred.
    pub fn live_objects(&self) -> Vec<(&'static str, usize)> {
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

    /// Bytes of the driver's memory that buffers hold, where wgpu keeps an account of them.
    pub fn allocated_bytes(&self) -> Option<u64> {
        self.device.generate_allocator_report().map(|report| report.total_allocated_bytes)
    }

    /// What a selftest of this GPU found, with this driver and these kernels, in a folder of memories.
    pub fn selftest_memory(&self, folder: &Path) -> Memory {
        let subject = Subject { kernels: crate::ops::fingerprint(), ..self.subject() };
        Memory::new(folder, "selftest", subject)
    }
}

impl Device for Gpu {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn largest_tensor(&self) -> usize {
        let limits = self.device.limits();
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        // A binding's size is a multiple of 4.
        usize::try_from(most).unwrap_or(usize::MAX) / 4 * 4
    }

    fn limits(&self) -> BTreeMap<&'static str, u64> {
        limits_that_matter(&self.device.limits()).into()
    }

    fn has_half(&self) -> bool {
        self.facts.f16
    }

    fn gpu(&self) -> Option<&Gpu> {
        Some(self)
    }

    fn load(&self, plan: Plan) -> Result<Box<dyn Session>> {
        let has_halves = plan.has(Element::Half);
        assert!(!has_halves || self.facts.f16, "{} has no 16-bit floats", self.info.name);
        let facts = if has_halves { self.facts_of_halves() } else { &self.facts };
        Ok(Box::new(GpuSession::new(self, facts, plan)?))
    }
}
