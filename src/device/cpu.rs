//! The CPU as a device: runs the CPU implementation of each op synchronously on host memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::info::{DeviceInfo, DeviceKind};
use super::interface::{Device, Session, Ticket};
use super::profile::{Clock, Profile};
use crate::error::Result;
use crate::plan::{Array, HostMemory, Launch, Plan, StepId};
use crate::tensor::{Element, Tensor};

/// The CPU as a device.
#[derive(Clone, Debug)]
pub struct Cpu {
    info: DeviceInfo,
    profile: Option<Profile>,
}

impl Cpu {
    /// Creates a device that uses all threads of the CPU.
    pub fn new() -> Self {
        let threads = rayon::current_num_threads();
        let plural = if threads == 1 { "" } else { "s" };
        Cpu {
            info: DeviceInfo {
                name: format!("CPU, {threads} thread{plural}"),
                backend: "cpu".into(),
                driver: format!("shadegrad {}", env!("CARGO_PKG_VERSION")),
                kind: DeviceKind::Cpu,
                selftest: None,
            },
            profile: None,
        }
    }

    /// Sets a profile that the times of ops are added to.
    #[must_use]
    pub fn with_profile(self, profile: Profile) -> Self {
        Cpu { profile: Some(profile), ..self }
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

    fn element_size(&self, element: Element) -> usize {
        element.host_size()
    }

    fn load(&self, plan: Plan) -> Result<Box<dyn Session>> {
        Ok(Box::new(CpuSession {
            memory: plan.host_memory(),
            plan,
            profile: self.profile.clone(),
            submitted: 0,
            metrics: HashMap::new(),
        }))
    }
}

#[derive(Debug)]
struct CpuSession {
    plan: Plan,
    memory: HostMemory,
    profile: Option<Profile>,
    submitted: u64,
    /// Metrics of submissions that have not been read yet, by ticket.
    metrics: HashMap<u64, Vec<Vec<f32>>>,
}

impl Session for CpuSession {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn kernels(&self, step: StepId) -> Vec<String> {
        self.plan.step(step).ops.iter().map(|op| op.name().into()).collect()
    }

    fn write(&mut self, tensor: Tensor, array: Array) -> Result<()> {
        self.memory.write(tensor, array);
        Ok(())
    }

    fn read(&mut self, tensor: Tensor) -> Result<Array> {
        Ok(self.memory.read(tensor))
    }

    fn submit(&mut self, launches: &[Launch], metrics: &[Tensor], slots: usize) -> Result<Ticket> {
        let memory = std::mem::take(&mut self.memory);
        let (plan, profile) = (&self.plan, &self.profile);
        let run = move || {
            for launch in launches {
                for op in &plan.step(launch.step).ops {
                    match profile {
                        None => op.run_on_cpu(&memory, &launch.record),
                        Some(profile) => {
                            let started = Instant::now();
                            op.run_on_cpu(&memory, &launch.record);
                            profile.launched(op.name());
                            profile.timed(Clock::Host, op.name(), started.elapsed());
                        }
                    }
                }
            }
            memory
        };
        self.memory = with_threads_at_hand(run);
        let copy = |&ring: &Tensor| {
            let [_, width] = ring.matrix("a metric ring");
            self.memory.f32(ring)[..slots * width].to_vec()
        };
        self.submitted += 1;
        self.metrics.insert(self.submitted, metrics.iter().map(copy).collect());
        Ok(Ticket(self.submitted))
    }

    fn run_op(&mut self, launch: Launch, op: usize) -> Result<()> {
        self.plan.step(launch.step).ops[op].run_on_cpu(&self.memory, &launch.record);
        Ok(())
    }

    fn finish(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>> {
        Ok(self.metrics.remove(&ticket.0).expect("a ticket is used once"))
    }
}

/// Maximum number of threads that are kept awake between two ops.
const MOST_AT_HAND: usize = 7;

/// Time that a thread waits for work before it may sleep.
const PATIENCE: Duration = Duration::from_micros(200);

/// Runs `work` on one thread of the pool while other threads wait for parts of ops.
///
/// A step has a few ops that are worth parallelising, with short ones between them during which
/// idle threads would fall asleep. Waking a thread takes half as long as a small product, so
/// threads spin for a short time before they sleep.
fn with_threads_at_hand<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let done = AtomicBool::new(false);
    let wait = || {
        let mut idle_since = Instant::now();
        while !done.load(Ordering::Relaxed) && idle_since.elapsed() < PATIENCE {
            match rayon::yield_now() {
                Some(rayon::Yield::Executed) => idle_since = Instant::now(),
                _ => std::hint::spin_loop(),
            }
        }
    };
    rayon::scope(|scope| {
        for _ in 1..rayon::current_num_threads().min(1 + MOST_AT_HAND) {
            scope.spawn(|_| wait());
        }
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    })
}
