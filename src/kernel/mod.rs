//! What a GPU must know to run an op: rows that describe kernels, and dispatches that use them.
//!
//! Nothing here knows wgpu. An op's GPU half answers [`Op::lower`](crate::plan::Op::lower) with
//! [`Dispatch`]es; the GPU device turns each [`Kernel`] into a pipeline. `tests/shaders.rs` holds
//! every row against the shader that it describes, so the two cannot drift apart.

mod descriptor;
mod gpu_facts;
mod tile_class;

pub use descriptor::{
    Access, Binding, Dispatch, Field, FieldKind, Kernel, MOST_GROUPS, MOST_TRIPS, Uniform, fold, fold_rows,
    read, trips, write,
};
pub(crate) use descriptor::{shader, uniform};
pub use gpu_facts::GpuFacts;
pub use tile_class::{Matrices, TileClass};
