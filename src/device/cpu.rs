//! The CPU as a device: runs the CPU half of each op on the host's memory, at once.

use std::collections::HashMap;

use super::{Device, DeviceInfo, DeviceKind, Session, Ticket};
use crate::error::Result;
use crate::host::{Array, HostMemory};
use crate::plan::{Launch, Plan};
use crate::tensor::Tensor;

/// The processor.
#[derive(Clone, Debug)]
pub struct Cpu {
    info: DeviceInfo,
}

impl Cpu {
    /// The processor with all its threads.
    pub fn new() -> Self {
        let threads = rayon::current_num_threads();
        let plural = if threads == 1 { "" } else { "s" };
        Cpu {
            info: DeviceInfo {
                name: format!("CPU, {threads} thread{plural}"),
                backend: "cpu".into(),
                driver: format!("shadegrad {}", env!("CARGO_PKG_VERSION")),
                kind: DeviceKind::Cpu,
            },
        }
    }
}

impl Default for Cpu {
    fn default() -> Self {
        Cpu::new()
    }
}

impl Device for Cpu {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn largest_tensor(&self) -> usize {
        usize::MAX
    }

    fn load(&self, plan: Plan) -> Result<Box<dyn Session>> {
        Ok(Box::new(CpuSession {
            memory: HostMemory::new(&plan),
            plan,
            submitted: 0,
            metrics: HashMap::new(),
        }))
    }
}

#[derive(Debug)]
struct CpuSession {
    plan: Plan,
    memory: HostMemory,
    submitted: u64,
    /// What finished submissions wrote and nobody has asked for yet.
    metrics: HashMap<u64, Vec<Vec<f32>>>,
}

impl Session for CpuSession {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn write(&mut self, tensor: Tensor, array: Array) -> Result<()> {
        self.memory.write(tensor, array);
        Ok(())
    }

    fn read(&mut self, tensor: Tensor) -> Result<Array> {
        Ok(self.memory.read(tensor))
    }

    fn submit(&mut self, launches: &[Launch], metrics: &[Tensor], slots: usize) -> Result<Ticket> {
        for launch in launches {
            for op in &self.plan.step(launch.step).ops {
                op.run_on_cpu(&self.memory, &launch.record);
            }
        }
        let copy = |&ring: &Tensor| {
            let [_, width] = ring.matrix("a metric ring");
            self.memory.f32(ring)[..slots * width].to_vec()
        };
        self.submitted += 1;
        self.metrics.insert(self.submitted, metrics.iter().map(copy).collect());
        Ok(Ticket(self.submitted))
    }

    fn finish(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>> {
        Ok(self.metrics.remove(&ticket.0).expect("a ticket is used once"))
    }
}
