//! What lowering an op may depend on, and what an op may leave to a device to choose.

use super::matmul::gpu::Class;
use super::{Op, Operands};
use crate::host::HostMemory;
use crate::kernel::Dispatch;
use crate::plan::StepRecord;

/// Cooperative matrices: square ones of 16-bit floats, which a subgroup multiplies and sums in 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Matrices {
    /// Rows and columns of each: 8 or 16.
    pub side: u32,
    /// Whether they can be loaded from vectors of four. Metal's can from numbers alone.
    pub vectors: bool,
}

/// What an op's GPU half may know about the adapter when it chooses a kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GpuFacts {
    /// Lanes of a subgroup, where subgroup operations can be used and all subgroups are this size.
    pub subgroup_size: Option<u32>,
    /// Cooperative matrices, where they can be used and all subgroups are one size.
    pub cooperative: Option<Matrices>,
    /// Whether the GPU has proven its cooperative matrices, those that are not barred
    /// ([`Gpu::facts_of_halves`](crate::device::gpu::Gpu::facts_of_halves)). Only then do products take them.
    pub proven: bool,
    /// A software driver: work runs on the processor, vector lanes along x.
    pub software: bool,
    /// Whether kernels go through a slow compiler (FXC): then the class with the longest source is
    /// left out.
    pub compiles_slowly: bool,
    /// Whether shaders may compute with 16-bit floats, and keep them in memory.
    pub f16: bool,
    /// Whether long sums of small products are cut into parts, so that more workgroups have work. A processor has none to spare.
    pub split_sums: bool,
    /// The class that every matrix product takes that can ([`Class::takes`]), where it is not to be chosen by size.
    /// Tests hold each class to the same cases with it.
    pub matmul: Option<Class>,
    /// Classes of the matrix product that are not to be used, by their place among all: a selftest found them wrong.
    pub barred: u32,
}

impl GpuFacts {
    /// Adds classes, by their labels, to those that are not used, or leaves 16-bit floats out, labelled `f16`; labels that no
    /// class has any more say nothing.
    pub fn bar(&mut self, labels: &[String]) {
        self.f16 &= !labels.iter().any(|label| label == "f16");
        for (place, class) in Class::all(self).into_iter().enumerate() {
            if labels.contains(&class.label()) {
                self.barred |= 1 << place;
            }
        }
    }
}

/// An op as it is lowered for an adapter with other facts than the device's: one of the ways of a [`Choice`], say.
#[derive(Debug)]
pub struct WithFacts {
    /// The op.
    pub op: Box<dyn Op>,
    /// What it is told.
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

    fn choice(&self, _: &GpuFacts) -> Option<Choice> {
        self.op.choice(&self.facts)
    }
}

/// Several ways to run an op on a GPU. All give the same result; which is fastest, a device can only find out.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What the fastest way depends on, besides the device: op and sizes. Names the choice where it is remembered.
    pub key: String,
    /// The ways, at least two.
    pub ways: Vec<Way>,
}

/// One way to run an op on a GPU.
#[derive(Clone, Debug)]
pub struct Way {
    /// Unique within a choice.
    pub label: String,
    /// With these facts the op lowers to it.
    pub facts: GpuFacts,
}
