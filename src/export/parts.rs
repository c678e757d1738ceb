//! A trained model, decomposed for the export formats.

use crate::checkpoint::{About, NamedTensor, SavedModel};
use crate::error::Result;
use crate::nn::{Model, Module, Size};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// A trained model, decomposed for the export formats.
pub(super) struct Parts<'a> {
    pub(super) about: &'a About,
    /// Shape of the input of the first stage.
    pub(super) input: Size,
    pub(super) modules: Vec<Module>,
    pub(super) saved: &'a SavedModel,
    pub(super) plan: Plan,
}

impl<'a> Parts<'a> {
    pub(super) fn of(saved: &'a SavedModel) -> Result<Self> {
        let about = saved.about()?;
        let mut plan = Plan::new();
        let model = Model::new(&mut plan, &about.spec()?, about.image());
        Ok(Parts { about, input: model.input(), modules: model.modules(), saved, plan })
    }

    /// Returns a tensor in the layout of files.
    pub(super) fn tensor(&self, tensor: Tensor) -> Result<NamedTensor> {
        let declaration = self.plan.declaration(tensor);
        let (name, shape) = (declaration.name.clone(), declaration.file_shape());
        let values = self.saved.values(&name, &shape)?.to_vec();
        Ok(NamedTensor { name, shape, values })
    }

    /// Returns all tensors of a model file.
    pub(super) fn tensors(&self) -> Result<Vec<NamedTensor>> {
        self.plan.saved().map(|declaration| self.tensor(declaration.tensor)).collect()
    }
}
