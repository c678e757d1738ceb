//! Descriptors of the plain kernels, generated from `shaders/*.wgsl` by the build script.
//!
//! The line `// kernel NAME = FILE FILE ...` at the top of a file declares a kernel: a static
//! `NAME` in this module, and the files that are joined to make its text. The build script reads
//! bindings and uniforms from the joined text with naga. The struct `Params` of a file `lion.wgsl`
//! becomes the Rust struct `LionParams`.

use std::borrow::Cow;

use super::descriptor::{Field, FieldKind, Kernel, read, uniform, write};
use super::plain::PlainKernel;

include!(concat!(env!("OUT_DIR"), "/shaders.rs"));
