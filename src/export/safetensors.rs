//! safetensors: PyTorch's names and layouts, so that a `torch.nn.Sequential` of the same modules
//! takes the file with `load_state_dict`. It takes normalised images whose values lie in one row.

use std::path::Path;

use crate::checkpoint::SavedModel;
use crate::error::Result;
use crate::export::parts::Parts;

/// Writes the model's parameters, and nothing else that the file they came from may hold.
pub(super) fn write(model: &SavedModel, path: &Path) -> Result<()> {
    let parts = Parts::of(model)?;
    SavedModel { tensors: parts.tensors()?, about: Some(parts.about.clone()) }.write(path)
}
