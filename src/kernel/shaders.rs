//! Descriptors of the plain kernels, generated from `shaders/*.wgsl` by the build script.
//!
//! `// kernel NAME = FILE FILE ...` in the first lines of a file declares a kernel, a static `NAME`
//! here, and the files that it is joined from. naga reads from the joined text what the kernel
//! expects to be given. The struct `Params` of a file `lion.wgsl` has the Rust twin `LionParams`.

use std::borrow::Cow;

use super::descriptor::{Field, FieldKind, Kernel, read, uniform, write};
use super::plain::PlainKernel;

include!(concat!(env!("OUT_DIR"), "/shaders.rs"));
