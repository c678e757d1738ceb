//! A trained model, taken apart for the formats.

use crate::checkpoint::{About, NamedTensor, SavedModel};
use crate::error::Result;
use crate::nn::{Model, Module, Size};
use crate::plan::Plan;
use crate::tensor::Tensor;

/// A trained model, taken apart.
pub(super) struct Parts<'a> {
    pub(super) about: &'a About,
    /// Size of the first module's input.
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

    /// A tensor, as files have it.
    pub(super) fn tensor(&self, tensor: Tensor) -> Result<NamedTensor> {
        let declaration = self.plan.declaration(tensor);
        let (name, shape) = (declaration.name.clone(), declaration.file_shape());
        let values = self.saved.values(&name, &shape)?.to_vec();
        Ok(NamedTensor { name, shape, values })
    }

    /// All that a model file holds.
    pub(super) fn tensors(&self) -> Result<Vec<NamedTensor>> {
        self.plan.saved().map(|declaration| self.tensor(declaration.tensor)).collect()
    }
}
