//! Devices under test, and wrappers around the ops that they run.

use std::fmt;

use shadegrad::device::cpu::Cpu;
use shadegrad::device::gpu::Gpu;
use shadegrad::device::gpu::adapter::{Capabilities, adapters, driver_advice};
use shadegrad::device::{Device, DeviceKind};
use shadegrad::kernel::{GpuFacts, TileClass};
use shadegrad::plan::{AlteredOp, Op, Plan};

type Wrap = Box<dyn Fn(Box<dyn Op>) -> Box<dyn Op>>;

/// A device under test.
pub struct Subject {
    /// Name in failure messages.
    pub name: String,
    pub device: Box<dyn Device>,
    wrap: Wrap,
}

impl Subject {
    /// The CPU.
    pub fn cpu() -> Self {
        Subject { name: "CPU".into(), device: Box::new(Cpu::new()), wrap: Box::new(|op| op) }
    }

    /// The best GPU and its facts. A missing GPU is a failure, not a reason to skip.
    pub fn gpu(capabilities: Capabilities) -> (Self, GpuFacts) {
        let found = adapters();
        let best = found
            .first()
            .unwrap_or_else(|| panic!("these tests need a GPU, and there is none: {}", driver_advice()));
        let gpu = Gpu::open(best, capabilities).unwrap_or_else(|error| panic!("{error}"));
        let software = if best.info.kind == DeviceKind::Software { ", software" } else { "" };
        let limits = match capabilities {
            Capabilities::Adapter => "",
            Capabilities::WebGpuDefaults => ", default limits",
        };
        let name = format!("GPU ({}{software}{limits})", best.info.name);
        let facts = *gpu.facts();
        (Subject { name, device: Box::new(gpu), wrap: Box::new(|op| op) }, facts)
    }

    /// The same device, with every op wrapped.
    pub fn wrapping(self, name: &str, wrap: impl Fn(Box<dyn Op>) -> Box<dyn Op> + 'static) -> Self {
        Subject { name: format!("{}, {name}", self.name), wrap: Box::new(wrap), ..self }
    }

    /// The same device, with ops lowered for an adapter with these facts.
    pub fn with_facts(self, facts: GpuFacts) -> Self {
        let class = facts.matmul.map(TileClass::label).unwrap_or_default();
        let cut = if facts.split_sums { ", cut sums" } else { "" };
        self.wrapping(&format!("{class}{cut}"), move |op| AlteredOp::with_facts(op, facts))
    }

    /// The best GPU with products of this class, with or without split sums.
    pub fn of_class(class: TileClass, split_sums: bool) -> Self {
        let (gpu, facts) = Subject::gpu(Capabilities::Adapter);
        gpu.with_facts(GpuFacts { matmul: Some(class), split_sums, ..facts })
    }

    /// Wraps the ops of a plan before the device loads it.
    pub fn wrap(&self, plan: &mut Plan) {
        plan.wrap_ops(&self.wrap);
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}
