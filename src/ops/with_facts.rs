//! An op that is lowered with facts about another GPU.

use crate::kernel::{Dispatch, GpuFacts};
use crate::plan::{HostMemory, Op, Operands, StepRecord, TuneSet};

/// An op that is lowered for an adapter with other facts than the device's, for example with one of
/// the candidates of a [`TuneSet`].
#[derive(Debug)]
pub struct WithFacts {
    /// The op.
    pub op: Box<dyn Op>,
    /// The facts to lower it with.
    pub facts: GpuFacts,
}

impl Op for WithFacts {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn operands(&self) -> Operands {
        self.op.operands()
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        self.op.run_on_cpu(memory, step);
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        self.op.lower(&self.facts)
    }

    fn tune_set(&self, _: &GpuFacts) -> Option<TuneSet> {
        self.op.tune_set(&self.facts)
    }
}
