//! The interface of an op.

use std::fmt::Debug;

use super::host_memory::HostMemory;
use super::step_record::StepRecord;
use crate::kernel::{Dispatch, GpuFacts};
use crate::tensor::Tensor;

/// The tensors that an op uses.
#[derive(Clone, Debug, Default)]
pub struct Operands {
    /// Tensors that are only read.
    pub reads: Vec<Tensor>,
    /// Tensors that are overwritten.
    pub writes: Vec<Tensor>,
    /// Tensors that are read and written: parameters and optimizer state.
    pub updates: Vec<Tensor>,
}

impl Operands {
    /// The operands of a pure function of tensors.
    pub fn new(reads: &[Tensor], writes: &[Tensor]) -> Self {
        Operands { reads: reads.to_vec(), writes: writes.to_vec(), updates: Vec::new() }
    }

    /// Adds tensors that are read and written.
    #[must_use]
    pub fn updating(mut self, tensors: impl IntoIterator<Item = Tensor>) -> Self {
        self.updates.extend(tensors);
        self
    }
}

/// An operation on tensors, with a CPU half and a GPU half. Devices run it without knowing its
/// kind.
pub trait Op: Debug + Send + Sync {
    /// The name in messages and profiles.
    fn name(&self) -> &'static str;

    /// The tensors that the op uses.
    fn operands(&self) -> Operands;

    /// The CPU half: computes in host memory.
    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord);

    /// The GPU half: the kernels to run, in order.
    fn lower(&self, gpu: &GpuFacts) -> Vec<Dispatch>;

    /// Alternatives for a GPU to run the op, which all give the same result, so that a device can
    /// choose the fastest. Most ops have none.
    fn tune_set(&self, _: &GpuFacts) -> Option<TuneSet> {
        None
    }
}

/// Several ways to run an op on a GPU. All give the same result; the tuner measures which is
/// fastest.
#[derive(Clone, Debug)]
pub struct TuneSet {
    /// What the fastest candidate depends on apart from the device: op and sizes. It is the key of
    /// the tuning cache.
    pub key: String,
    /// The candidates, at least two.
    pub candidates: Vec<Candidate>,
}

/// One way to run an op on a GPU.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Unique within a tune set.
    pub label: String,
    /// The facts with which the op is lowered.
    pub facts: GpuFacts,
}
