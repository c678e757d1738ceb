//! Trained models for other programs: one file per format.
//!
//! A layer says in [`Stage`]s what it computes; a format translates each of them. A new layer needs
//! no change here where its stages are known; a new stage is a compile error in every format that
//! does not translate it yet.

pub mod npy;
pub mod onnx;
pub mod safetensors;

use std::path::Path;

use crate::checkpoint::{About, NamedTensor, SavedModel};
use crate::error::Result;
use crate::nn::{Model, Size, Stage};
use crate::plan::Plan;
use crate::tensor::Tensor;

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

/// A trained model, taken apart.
struct Parts<'a> {
    about: &'a About,
    /// What the first stage reads.
    input: Size,
    stages: Vec<Stage>,
    saved: &'a SavedModel,
    plan: Plan,
}

impl<'a> Parts<'a> {
    fn of(saved: &'a SavedModel) -> Result<Self> {
        let about = saved.about()?;
        let mut plan = Plan::new();
        let model = Model::new(&mut plan, &about.spec()?, about.image());
        Ok(Parts { about, input: model.input(), stages: model.stages(), saved, plan })
    }

    /// A tensor, as files have it.
    fn tensor(&self, tensor: Tensor) -> Result<NamedTensor> {
        let declaration = self.plan.declaration(tensor);
        let (name, shape) = (declaration.name.clone(), declaration.file_shape());
        let values = self.saved.values(&name, &shape)?.to_vec();
        Ok(NamedTensor { name, shape, values })
    }

    /// All that a model file holds.
    fn tensors(&self) -> Result<Vec<NamedTensor>> {
        self.plan.saved().map(|declaration| self.tensor(declaration.tensor)).collect()
    }
}
