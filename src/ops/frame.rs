//! The frame of ops whose kernels are the same on every GPU: a name, operands, kernels for a GPU
//! and a function for the CPU.

use std::fmt::{Debug, Formatter};

use crate::kernel::{Dispatch, GpuFacts};
use crate::plan::{HostMemory, Op, Operands, StepRecord};

/// An op of these operands. `kernels` is its GPU half, `run` its CPU half.
pub(super) fn op<F>(
    name: &'static str,
    operands: Operands,
    kernels: Vec<Dispatch>,
    run: F,
) -> impl Op + use<F>
where
    F: Fn(&HostMemory, &StepRecord) + Send + Sync,
{
    Frame { name, operands, kernels, run }
}

struct Frame<F> {
    name: &'static str,
    operands: Operands,
    kernels: Vec<Dispatch>,
    run: F,
}

impl<F> Debug for Frame<F> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct(self.name).field("operands", &self.operands).finish()
    }
}

impl<F: Fn(&HostMemory, &StepRecord) + Send + Sync> Op for Frame<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn operands(&self) -> Operands {
        self.operands.clone()
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        (self.run)(memory, step);
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        self.kernels.clone()
    }
}
