//! Facts about an adapter on which the lowering of an op may depend.

use super::tile_class::{CooperativeMatrix, TileClass};

/// Facts about the adapter that an op's GPU half may use to choose a kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GpuFacts {
    /// Lanes of a subgroup, if subgroup operations can be used and all subgroups have this size.
    pub subgroup_size: Option<u32>,
    /// Cooperative matrices, if they can be used and all subgroups have one size.
    pub cooperative: Option<CooperativeMatrix>,
    /// Whether the GPU has passed the test of its cooperative matrices that are not disabled
    /// ([`Gpu::f16_facts`](crate::device::gpu::Gpu::f16_facts)). Products use them only then.
    pub proven: bool,
    /// Whether this is a software driver: work runs on the CPU, with vector lanes along x.
    pub software: bool,
    /// Whether kernels are compiled by a slow compiler (FXC). The class with the longest source is
    /// not used then.
    pub compiles_slowly: bool,
    /// Whether shaders may compute with f16 and store it.
    pub f16: bool,
    /// Whether long sums of small products are divided among workgroups (split-K), so that more
    /// workgroups have work. A CPU has no idle units that this would use.
    pub split_sums: bool,
    /// The class to use for every matrix product that supports it ([`TileClass::takes`]), instead
    /// of a choice by size. Tests run all cases with each class.
    pub matmul: Option<TileClass>,
    /// Bit i is set if class i of [`TileClass::all`] is disabled because a selftest found it wrong.
    pub disabled: u32,
}
