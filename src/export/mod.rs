//! Export of trained models, one file per format.
//!
//! A layer describes its computation as [`Module`](crate::nn::Module)s, which each format
//! translates. A new layer with existing modules needs no change here. A new module is a compile
//! error in every format that does not translate it yet.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use shadegrad::checkpoint::read_model;
//! use shadegrad::export::{Format, write};
//!
//! let (_, model) = read_model(Path::new("runs/mine"))?;
//! write(&model, Format::Onnx, Path::new("model.onnx"))?;
//! # Ok::<(), shadegrad::Error>(())
//! ```

pub mod npy;
pub mod onnx;
mod parts;
pub mod safetensors;

use std::path::Path;

use crate::checkpoint::SavedModel;
use crate::error::Result;
use crate::text::named::named;

named! {
    /// A file format for trained models.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Format {
        /// The weights, under PyTorch's names.
        Safetensors = "safetensors",
        /// The weights and the computation.
        Onnx = "onnx",
    }
}

/// Writes `model` to the file `path` atomically.
///
/// # Errors
/// [`ErrorKind::Model`](crate::ErrorKind::Model) if the tensors do not match the model or the
/// format cannot hold them, [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be written.
pub fn write(model: &SavedModel, format: Format, path: &Path) -> Result<()> {
    match format {
        Format::Safetensors => safetensors::write(model, path),
        Format::Onnx => onnx::write(model, path),
    }
}
