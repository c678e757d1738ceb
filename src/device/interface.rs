//! The interface of devices: the traits [`Device`] and [`Session`].

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

/// Maximum number of launches in a submission.
pub const MOST_LAUNCHES: usize = 2048;

/// A device that stores a plan's tensors and runs its steps.
pub trait Device {
    /// Returns the identity of the device.
    fn info(&self) -> &DeviceInfo;

    /// Returns the maximum number of bytes of a tensor. Larger data must be split.
    fn largest_tensor(&self) -> usize;

    /// Returns the limits that the device was opened with and that matter to training, by name. The
    /// CPU has none.
    fn limits(&self) -> BTreeMap<&'static str, u64> {
        BTreeMap::new()
    }

    /// Returns the bytes of free memory, if known. They are unknown for a discrete GPU.
    fn memory(&self) -> Option<usize> {
        shared_memory(self.info().kind)
    }

    /// Returns the bytes of an element in the memory of this device.
    fn element_size(&self, element: Element) -> usize {
        element.size()
    }

    /// Whether the device supports f16 and benefits from it.
    fn has_f16(&self) -> bool {
        false
    }

    /// Returns the properties by which kernels are picked in plans of this precision; `None` on the
    /// CPU, which has no kernels.
    fn kernel_facts(&self, precision: Precision) -> Option<GpuFacts> {
        let _ = precision;
        None
    }

    /// Whether `error` means that the device was lost and must be reopened: its driver was reset,
    /// it was unplugged, or it ran out of memory. The CPU is never lost.
    fn is_lost(&self, error: &Error) -> bool {
        let _ = error;
        false
    }

    /// Caches the verdict of a selftest in `folder`, for [`Options`](super::Options) to apply. This
    /// does nothing on the CPU.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be written.
    fn save_verdict(&self, folder: &Path, verdict: &Verdict) -> Result<()> {
        let _ = (folder, verdict);
        Ok(())
    }

    /// Returns the bytes of device memory in buffers, if they are counted.
    fn allocated_bytes(&self) -> Option<u64> {
        None
    }

    /// Returns the number of live driver objects of each kind, which must not grow with the number
    /// of steps.
    fn live_objects(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    /// Allocates the plan's tensors, which are zeros at first, and prepares its steps.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if a tensor is larger than the device can
    /// bind, the driver rejects a kernel, or there is not enough memory.
    fn load(&self, plan: Plan) -> Result<Box<dyn Session>>;
}

/// Returns the free bytes of host memory, if a device of this kind uses it.
fn shared_memory(kind: DeviceKind) -> Option<usize> {
    match kind {
        DeviceKind::Cpu | DeviceKind::Software | DeviceKind::Integrated => {
            let mut system = sysinfo::System::new();
            system.refresh_memory_specifics(sysinfo::MemoryRefreshKind::nothing().with_ram());
            let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
            // Zero means that the system does not report it.
            usize::try_from(system.available_memory().min(limit)).ok().filter(|&free| free > 0)
        }
        DeviceKind::Discrete | DeviceKind::Virtual | DeviceKind::Other => None,
    }
}

/// A plan that is loaded on a device.
///
/// Calls take effect in order, even if the device works asynchronously. If the device failed, they
/// return an error of the kind [`ErrorKind::Device`](crate::ErrorKind::Device).
#[expect(clippy::missing_errors_doc, reason = "the errors of all methods are the same")]
pub trait Session {
    /// Returns the loaded plan.
    fn plan(&self) -> &Plan;

    /// Returns the names of the kernels (on a GPU) or ops (on the CPU) of a step, in order.
    fn kernels(&self, step: StepId) -> Vec<String>;

    /// Replaces the elements of a tensor.
    ///
    /// # Panics
    /// If the type or length of the array differs from the tensor's.
    fn write(&mut self, tensor: Tensor, array: Array) -> Result<()>;

    /// Returns a copy of a tensor's elements, after all earlier calls are done.
    fn read(&mut self, tensor: Tensor) -> Result<Array>;

    /// Submits `launches`, in order, as one unit of work. The first `slots` slots of each of the
    /// `metrics` rings are copied for [`Session::finish`].
    ///
    /// # Panics
    /// If there are more than [`MOST_LAUNCHES`] launches.
    fn submit(&mut self, launches: &[Launch], metrics: &[Tensor], slots: usize) -> Result<Ticket>;

    /// Runs one op of a step, by its position, and waits for it.
    fn run_op(&mut self, launch: Launch, op: usize) -> Result<()>;

    /// Waits for a submission and returns its metrics, in the order of `metrics`.
    ///
    /// # Panics
    /// If the ticket was used before.
    fn finish(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>>;

    /// Runs `launches`, in order, and waits for them.
    ///
    /// # Panics
    /// If there are more than [`MOST_LAUNCHES`] launches.
    fn run(&mut self, launches: &[Launch]) -> Result<()> {
        let ticket = self.submit(launches, &[], 0)?;
        self.finish(ticket).map(|_| ())
    }
}
