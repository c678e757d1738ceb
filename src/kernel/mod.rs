//! What a GPU must know to run an op: descriptors of kernels, and dispatches that use them.
//!
//! Nothing here knows wgpu. An op's GPU half answers [`Op::lower`](crate::plan::Op::lower) with
//! [`Dispatch`]es; the GPU device turns each [`Kernel`] into a pipeline. Descriptors of plain
//! kernels (`shaders`) are generated from their WGSL; `tests/shaders.rs` compares those of rendered
//! ones, the matrix products', with what they render.

mod descriptor;
mod fingerprint;
mod gpu_facts;
mod plain;
pub(crate) mod shaders;
mod tile_class;

pub use descriptor::{
    Access, Binding, Dispatch, Field, FieldKind, Kernel, MOST_GROUPS, MOST_ITERATIONS, Uniform, fold,
    fold_rows, iterations, read, write,
};
pub(crate) use descriptor::{same_fields, uniform};
pub use fingerprint::{FNV_START, fnv};
pub use gpu_facts::GpuFacts;
pub(crate) use plain::PlainKernel;
pub use tile_class::{Matrices, TileClass};
