//! What every device offers: the traits [`Device`] and [`Session`].

use std::collections::BTreeMap;
use std::path::Path;

use super::info::{DeviceInfo, DeviceKind};
use super::verdict::Verdict;
use crate::error::{Error, Result};
use crate::kernel::GpuFacts;
use crate::plan::{Array, Launch, Plan, StepId};
use crate::tensor::{Element, Precision, Tensor};

/// Identifies a submission whose metrics have not been read yet.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(pub(crate) u64);

/// Most launches that one submission may have.
pub const MOST_LAUNCHES: usize = 2048;

/// Something that can hold a plan's tensors and run its steps.
pub trait Device {
    /// The device's identity.
    fn info(&self) -> &DeviceInfo;

    /// Most bytes that one tensor may have. Larger data must be split.
    fn largest_tensor(&self) -> usize;

    /// The limits that it was opened with and that matter to training, by name. The CPU has none.
    fn limits(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::new()
    }

    /// Bytes of free memory, if known. They are not known of a GPU with memory of its own.
    fn memory(&self) -> Option<usize> {
        shared_memory(self.info().kind)
    }

    /// Bytes of an element in this device's memory.
    fn element_size(&self, element: Element) -> usize {
        element.size()
    }

    /// Whether it can keep floats in f16, and gains by it.
    fn has_half(&self) -> bool {
        false
    }

    /// What kernels are chosen by in plans of this precision; `None` on the CPU, which has none.
    fn kernel_facts(&self, precision: Precision) -> Option<GpuFacts> {
        let _ = precision;
        None
    }

    /// Whether `error` means that the device was lost, so that it must be opened again: its driver
    /// was reset, it was unplugged, or it ran out of memory. The CPU is never lost.
    fn is_lost(&self, error: &Error) -> bool {
        let _ = error;
        false
    }

    /// Caches the verdict of a selftest in `folder`, for [`Options`](super::Options) to apply.
    /// There is nothing to cache for the CPU.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be written.
    fn save_verdict(&self, folder: &Path, verdict: &Verdict) -> Result<()> {
        let _ = (folder, verdict);
        Ok(())
    }

    /// Bytes of device memory that buffers hold, if they are counted.
    fn allocated_bytes(&self) -> Option<u64> {
        None
    }

    /// Number of live driver objects of each kind: it must not grow with the number of steps.
    fn live_objects(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    /// Makes the plan's tensors (zeros at first) and everything its steps need.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if a tensor is larger than the device binds,
    /// the driver refuses a kernel, or there is too little memory.
    fn load(&self, plan: Plan) -> Result<Box<dyn Session>>;
}

/// Free bytes of the computer's memory, if a device of this kind uses it.
fn shared_memory(kind: DeviceKind) -> Option<usize> {
    match kind {
        DeviceKind::Cpu | DeviceKind::Software | DeviceKind::Integrated => {
            let mut system = sysinfo::System::new();
            system.refresh_memory_specifics(sysinfo::MemoryRefreshKind::nothing().with_ram());
            let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
            // Zero means that the system does not say.
            usize::try_from(system.available_memory().min(limit)).ok().filter(|&free| free > 0)
        }
        DeviceKind::Discrete | DeviceKind::Virtual | DeviceKind::Other => None,
    }
}

/// A plan on a device.
///
/// Calls take effect in the order in which they are made, even if the device works asynchronously.
pub trait Session {
    /// The plan that was loaded.
    fn plan(&self) -> &Plan;

    /// Names of what runs in a step, in order: kernels on a GPU, ops on the CPU.
    fn kernels(&self, step: StepId) -> Vec<String>;

    /// Replaces a tensor's elements.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if the device failed.
    ///
    /// # Panics
    /// If the array's type or length is not the tensor's.
    fn write(&mut self, tensor: Tensor, array: Array) -> Result<()>;

    /// A copy of a tensor's elements, once everything before this call is done.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if the device failed.
    fn read(&mut self, tensor: Tensor) -> Result<Array>;

    /// Starts `launches`, in order, as one piece of work, and keeps the first `slots` slots of each
    /// of the `metrics` rings for [`Session::finish`].
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if the device failed.
    ///
    /// # Panics
    /// If there are more than [`MOST_LAUNCHES`] launches.
    fn submit(&mut self, launches: &[Launch], metrics: &[Tensor], slots: usize) -> Result<Ticket>;

    /// Runs one op of a step, by its position, and waits for it.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if the device failed.
    fn run_op(&mut self, launch: Launch, op: usize) -> Result<()>;

    /// Waits for a submission and returns its metrics, in the order in which they were named.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if the device failed.
    ///
    /// # Panics
    /// If the ticket was used before.
    fn finish(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>>;
}
