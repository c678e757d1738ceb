//! Trained models for other programs: one file per format.
//!
//! A model is a list of [`Module`](crate::nn::Module)s; a format translates each of them. A module
//! or an activation that a format does not translate yet is a compile error there.

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
/// [`ErrorKind::Model`](crate::ErrorKind::Model) where the tensors are not those of the model, or
/// the format cannot hold them; [`ErrorKind::Io`](crate::ErrorKind::Io) where the file cannot be
/// written.
pub fn write(model: &SavedModel, format: Format, path: &Path) -> Result<()> {
    match format {
        Format::Safetensors => safetensors::write(model, path),
        Format::Onnx => onnx::write(model, path),
    }
}
