//! An op with another CPU or GPU half.

use std::fmt;

use super::host_memory::HostMemory;
use super::op::{Op, Operands};
use super::step_record::StepRecord;
use crate::kernel::{Dispatch, GpuFacts};

type Lower = dyn Fn(&dyn Op, &GpuFacts) -> Vec<Dispatch> + Send + Sync;
type RunOnCpu = dyn Fn(&dyn Op, &HostMemory, &StepRecord) + Send + Sync;

/// An op, one half of which is replaced by a function that receives the op: to run it with certain
/// kernels, or with deliberate faults in tests. It offers no candidates to a tuner.
pub struct AlteredOp {
    op: Box<dyn Op>,
    lower: Box<Lower>,
    run_on_cpu: Box<RunOnCpu>,
}

impl AlteredOp {
    /// Replaces the GPU half of `op`.
    pub fn lowered(
        op: Box<dyn Op>,
        lower: impl Fn(&dyn Op, &GpuFacts) -> Vec<Dispatch> + Send + Sync + 'static,
    ) -> Box<dyn Op> {
        let run_on_cpu = |op: &dyn Op, memory: &HostMemory, step: &StepRecord| op.run_on_cpu(memory, step);
        Box::new(AlteredOp { op, lower: Box::new(lower), run_on_cpu: Box::new(run_on_cpu) })
    }

    /// Replaces the CPU half of `op`.
    pub fn computed(
        op: Box<dyn Op>,
        run_on_cpu: impl Fn(&dyn Op, &HostMemory, &StepRecord) + Send + Sync + 'static,
    ) -> Box<dyn Op> {
        let lower = |op: &dyn Op, gpu: &GpuFacts| op.lower(gpu);
        Box::new(AlteredOp { op, lower: Box::new(lower), run_on_cpu: Box::new(run_on_cpu) })
    }

    /// Lowers `op` for an adapter with these facts instead of the device's, for example with one of
    /// the candidates of a [`TuneSet`](super::TuneSet).
    pub fn with_facts(op: Box<dyn Op>, facts: GpuFacts) -> Box<dyn Op> {
        AlteredOp::lowered(op, move |op, _| op.lower(&facts))
    }
}

impl Op for AlteredOp {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn operands(&self) -> Operands {
        self.op.operands()
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        (self.run_on_cpu)(&*self.op, memory, step);
    }

    fn lower(&self, gpu: &GpuFacts) -> Vec<Dispatch> {
        (self.lower)(&*self.op, gpu)
    }
}

impl fmt::Debug for AlteredOp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}, altered", self.op)
    }
}
