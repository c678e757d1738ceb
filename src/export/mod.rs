//! Trained models for other programs: one file per format.
//!
//! A layer says in [`Stage`]s what it computes; a format translates each of them. A new layer needs
//! no change here where its stages are known; a new stage is a compile error in every format that
//! does not translate it yet.

pub mod npy;
pub mod onnx;
mod parts;
pub mod safetensors;

use std::path::Path;

use crate::checkpoint::SavedModel;
use crate::error::Result;

/// A format that a trained model can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Weights under PyTorch's names.
    Safetensors,
    /// Weights and the computation.
    Onnx,
}

/// Writes `model` to the file `path`, whole or not at all.
///
/// # Errors
/// [`ErrorKind::Model`](crate::ErrorKind::Model) where the tensors are not those of the model, or the
/// format cannot hold them; [`ErrorKind::Io`](crate::ErrorKind::Io) where the file cannot be written.
pub fn write(model: &SavedModel, format: Format, path: &Path) -> Result<()> {
    match format {
        Format::Safetensors => safetensors::write(model, path),
        Format::Onnx => onnx::write(model, path),
    }
}
