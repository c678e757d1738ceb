//! Descriptors of kernels, and dispatches that use them: all that a GPU needs to run an op.
//!
//! Nothing here depends on wgpu. An op's GPU half returns [`Dispatch`]es from
//! [`Op::lower`](crate::plan::Op::lower); the GPU device turns each [`Kernel`] into a pipeline.
//! Descriptors of plain kernels (`shaders`) are generated from their WGSL. `tests/shaders.rs`
//! compares the descriptors of rendered kernels, those of matrix products, with the rendered text.
//!
//! ```
//! use shadegrad::kernel::fold;
//!
//! assert_eq!(fold(1000, 256), [4, 1, 1]);
//! assert_eq!(fold(65_536 * 256, 256), [32_768, 2, 1]);
//! ```

mod descriptor;
mod fingerprint;
mod gpu_facts;
mod plain;
pub(crate) mod shaders;
mod tile_class;

pub use descriptor::{
    Access, Binding, Dispatch, Field, FieldKind, Kernel, MOST_GROUPS, MOST_ITERATIONS, Uniform, fold,
    iterations, read, write,
};
pub(crate) use descriptor::{fold_rows, same_fields, uniform};
pub use fingerprint::{FNV_START, fnv};
pub use gpu_facts::GpuFacts;
pub(crate) use plain::PlainKernel;
pub use tile_class::{CooperativeMatrix, TileClass};
