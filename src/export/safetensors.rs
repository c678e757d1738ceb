//! safetensors: PyTorch's names and layouts, so that a `torch.nn.Sequential` of the same modules takes
//! the file with `load_state_dict`. It takes normalised images whose values lie in one row.

use std::path::Path;

use super::Parts;
use crate::error::Result;
use crate::run::{NamedTensor, SavedModel};

/// Writes the model's parameters, and nothing else that the file they came from may hold.
pub(super) fn write(model: &SavedModel, path: &Path) -> Result<()> {
    let parts = Parts::of(model)?;
    let tensors = parts.parameters().map(|tensor| {
        let (name, values) = parts.values(tensor)?;
        let shape = tensor.shape().sizes().to_vec();
        Ok(NamedTensor { name: name.into(), shape, values: values.to_vec() })
    });
    let tensors = tensors.collect::<Result<_>>()?;
    SavedModel { tensors, about: Some(parts.about.clone()) }.write(path)
}
