//! Ops with deliberate faults: in the text of GPU kernels, or in the output of the CPU
//! implementation.
#![allow(dead_code, reason = "each test program uses some of these")]

use std::borrow::Cow;
use std::fmt;

use shadegrad::kernel::{Dispatch, GpuFacts};
use shadegrad::plan::{HostMemory, Op, Operands, StepRecord};
use shadegrad::tensor::Tensor;

/// An op whose kernels are edited if they contain the text.
#[derive(Debug)]
pub struct Edited {
    pub op: Box<dyn Op>,
    /// Part of the names of the kernels to edit; empty for all.
    pub kernels: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

impl Op for Edited {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn operands(&self) -> Operands {
        self.op.operands()
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        self.op.run_on_cpu(memory, step);
    }

    fn lower(&self, gpu: &GpuFacts) -> Vec<Dispatch> {
        let mut dispatches = self.op.lower(gpu);
        for dispatch in &mut dispatches {
            if dispatch.kernel.name.contains(self.kernels) && dispatch.kernel.source.contains(self.from) {
                let kernel = dispatch.kernel.to_mut();
                // A device makes one pipeline for each name.
                kernel.name = Cow::Owned(format!("{}_wrong", kernel.name));
                kernel.source = Cow::Owned(kernel.source.replace(self.from, self.to));
            }
        }
        dispatches
    }
}

/// An op whose CPU output is changed: `tamper` receives the new values and the previous ones.
pub struct Tampered<T> {
    pub op: Box<dyn Op>,
    pub tamper: T,
}

impl<T> fmt::Debug for Tampered<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}, tampered with", self.op)
    }
}

impl<T: Fn(&mut [f32], &[f32]) + Send + Sync> Op for Tampered<T> {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn operands(&self) -> Operands {
        self.op.operands()
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let Operands { writes, updates, .. } = self.op.operands();
        let output: Tensor = *writes.first().or(updates.first()).expect("an op writes something");
        let before = memory.f32(output).to_vec();
        self.op.run_on_cpu(memory, step);
        (self.tamper)(&mut memory.f32_mut(output), &before);
    }

    fn lower(&self, gpu: &GpuFacts) -> Vec<Dispatch> {
        self.op.lower(gpu)
    }
}
