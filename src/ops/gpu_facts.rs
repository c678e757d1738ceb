//! What lowering an op may depend on, and what an op may leave to a device to choose.

use super::matmul::gpu::Class;

/// What an op's GPU half may know about the adapter when it chooses a kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GpuFacts {
    /// Lanes of a subgroup, where subgroup operations can be used and all subgroups are this size.
    pub subgroup_size: Option<u32>,
    /// A software driver: work runs on the processor, vector lanes along x.
    pub software: bool,
    /// Whether long sums of small products are cut into parts, so that more workgroups have work. A processor has none to spare.
    pub split_sums: bool,
    /// The class that every matrix product takes, where it is not to be chosen by size. Tests hold
    /// each class to the same cases with it.
    pub matmul: Option<Class>,
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
