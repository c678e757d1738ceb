//! Devices run plans and move data. There are two, [`cpu`] and [`gpu`], and neither has a method
//! per op: both read what the ops themselves offer.

pub mod cpu;
pub mod gpu;
pub mod profile;

use std::collections::BTreeMap;

use crate::error::Result;
use crate::plan::{Array, Launch, Plan, StepId};
use crate::tensor::{Element, Tensor};

/// What kind of processor a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the computer's memory.
    Integrated,
    /// A GPU handed into a virtual machine.
    Virtual,
    /// A driver that runs shaders on the processor.
    Software,
    /// The processor itself, without shaders.
    Cpu,
    /// A driver that does not say.
    Other,
}

/// What a device calls itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeviceInfo {
    /// The adapter's name.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `cpu`.
    pub backend: String,
    /// Driver name and version.
    pub driver: String,
    /// Kind of processor.
    #[serde(rename = "type")]
    pub kind: DeviceKind,
    /// What the last selftest found, where a run heeds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selftest: Option<Selftested>,
}

/// A selftest of a device, in short.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Selftested {
    /// The day of the test: `2026-01-31`.
    pub date: String,
    /// Comparisons.
    pub checks: usize,
    /// Those that failed.
    pub failures: usize,
    /// Classes of matrix products that were wrong, and are done without.
    pub without: Vec<String>,
}

/// Names a batch of launches whose metrics have not been read yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(pub(crate) u64);

/// Most launches that one submission may have.
pub const MOST_LAUNCHES: usize = 2048;

/// Something that can hold a plan's tensors and run its steps.
pub trait Device {
    /// What the device calls itself.
    fn info(&self) -> &DeviceInfo;

    /// Most bytes that one tensor may have; larger data must come in pieces.
    fn largest_tensor(&self) -> usize;

    /// The limits that it was opened with and that matter to training, by name; none where there is nothing but memory.
    fn limits(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::new()
    }

    /// Bytes of memory that are free, where that is known: for a GPU with memory of its own it is not.
    fn memory(&self) -> Option<usize> {
        shared_memory(self.info().kind)
    }

    /// Bytes of an element in this device's memory.
    fn element_size(&self, element: Element) -> usize {
        element.size()
    }

    /// Whether it can keep floats in 16 bits, and gains by it.
    fn has_half(&self) -> bool {
        false
    }

    /// The GPU, where the device is one.
    fn gpu(&self) -> Option<&gpu::Gpu> {
        None
    }

    /// Makes the plan's tensors (zeros at first) and everything its steps need.
    fn load(&self, plan: Plan) -> Result<Box<dyn Session>>;
}

/// Bytes that are free of the computer's memory, where a device of this kind uses that.
fn shared_memory(kind: DeviceKind) -> Option<usize> {
    match kind {
        DeviceKind::Cpu | DeviceKind::Software | DeviceKind::Integrated => {
            let mut system = sysinfo::System::new();
            system.refresh_memory_specifics(sysinfo::MemoryRefreshKind::nothing().with_ram());
            let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
            // Where it cannot be found out, it is said to be none.
            usize::try_from(system.available_memory().min(limit)).ok().filter(|&free| free > 0)
        }
        DeviceKind::Discrete | DeviceKind::Virtual | DeviceKind::Other => None,
    }
}

/// A plan on a device.
///
/// Calls take effect in the order in which they are made, even where the device works behind the
/// host's back.
pub trait Session {
    /// The plan that was loaded.
    fn plan(&self) -> &Plan;

    /// Names of what runs in a step, in order: kernels on a GPU, ops on the CPU.
    fn kernels(&self, step: StepId) -> Vec<String>;

    /// Replaces a tensor's elements. Panics if the array's type or length is not the tensor's.
    fn write(&mut self, tensor: Tensor, array: Array) -> Result<()>;

    /// A copy of a tensor's elements, once everything before this call is done.
    fn read(&mut self, tensor: Tensor) -> Result<Array>;

    /// Starts `launches`, in order, as one piece of work, and keeps the first `slots` slots of each
    /// of the `metrics` rings for [`Session::finish`].
    fn submit(&mut self, launches: &[Launch], metrics: &[Tensor], slots: usize) -> Result<Ticket>;

    /// Runs one op of a step, by its position, and waits for it: for a look at what each op of a step writes.
    fn run_op(&mut self, launch: Launch, op: usize) -> Result<()>;

    /// Waits for a submission and returns its metrics, in the order in which they were named.
    fn finish(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>>;
}
