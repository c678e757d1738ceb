//! One operation of a plan, and the data that it is run with.

use std::fmt::Debug;

use super::host_memory::HostMemory;
use super::step_record::StepRecord;
use crate::kernel::{Dispatch, GpuFacts};
use crate::tensor::Tensor;

/// Which tensors an op touches, and how.
#[derive(Clone, Debug, Default)]
pub struct Operands {
    /// Only read.
    pub reads: Vec<Tensor>,
    /// Overwritten, whatever they held.
    pub writes: Vec<Tensor>,
    /// Read and written: parameters and optimizer state.
    pub updates: Vec<Tensor>,
}

impl Operands {
    /// What a pure function of tensors touches.
    pub fn new(reads: &[Tensor], writes: &[Tensor]) -> Self {
        Operands { reads: reads.to_vec(), writes: writes.to_vec(), updates: Vec::new() }
    }

    /// Adds what is read and written.
    pub fn updating(mut self, tensors: impl IntoIterator<Item = Tensor>) -> Self {
        self.updates.extend(tensors);
        self
    }
}

/// One operation on tensors, with both of its halves. Devices run it without knowing which it is.
pub trait Op: Debug + Send + Sync {
    /// The op's name in messages and profiles.
    fn name(&self) -> &'static str;

    /// Which tensors the op touches.
    fn operands(&self) -> Operands;

    /// The CPU half: computes on the host's memory.
    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord);

    /// The GPU half: the kernels to run, in order.
    fn lower(&self, gpu: &GpuFacts) -> Vec<Dispatch>;

    /// Other ways for a GPU to run the op, of which a device may take the fastest instead; all give the same
    /// result. Most ops have only the one.
    fn choice(&self, _: &GpuFacts) -> Option<Choice> {
        None
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
