//! What lowering an op may depend on.

use super::matmul::gpu::Class;

/// What an op's GPU half may know about the adapter when it chooses a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuFacts {
    /// Lanes of a subgroup, where subgroup operations can be used and all subgroups are this size.
    pub subgroup_size: Option<u32>,
    /// A software driver: work runs on the processor, vector lanes along x.
    pub software: bool,
    /// The class that every matrix product takes, where it is not to be chosen by size. Tests hold
    /// each class to the same cases with it.
    pub matmul: Option<Class>,
}
