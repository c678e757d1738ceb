//! What lowering an op may depend on.

use super::tile_class::{Matrices, TileClass};

/// What an op's GPU half may know about the adapter when it chooses a kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GpuFacts {
    /// Lanes of a subgroup, where subgroup operations can be used and all subgroups are this size.
    pub subgroup_size: Option<u32>,
    /// Cooperative matrices, where they can be used and all subgroups are one size.
    pub cooperative: Option<Matrices>,
    /// Whether the GPU has proven its cooperative matrices, those that are not barred
    /// ([`Gpu::f16_facts`](crate::device::gpu::Gpu::f16_facts)). Only then do products take them.
    pub proven: bool,
    /// A software driver: work runs on the processor, vector lanes along x.
    pub software: bool,
    /// Whether kernels go through a slow compiler (FXC): then the class with the longest source is
    /// left out.
    pub compiles_slowly: bool,
    /// Whether shaders may compute with 16-bit floats, and keep them in memory.
    pub f16: bool,
    /// Whether long sums of small products are cut into parts, so that more workgroups have work. A
    /// processor has none to spare.
    pub split_sums: bool,
    /// The class that every matrix product takes that can ([`TileClass::takes`]), where it is not
    /// to be chosen by size. Tests hold each class to the same cases with it.
    pub matmul: Option<TileClass>,
    /// Classes of the matrix product that are not to be used, by their place among all: a selftest
    /// found them wrong.
    pub barred: u32,
}
