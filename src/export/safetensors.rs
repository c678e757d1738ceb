//! safetensors export, with PyTorch's names and layouts. A `torch.nn.Sequential` of the same
//! modules loads the file with `load_state_dict`. Its input is normalised images, flattened to
//! rows.

use std::path::Path;

use crate::checkpoint::SavedModel;
use crate::error::Result;
use crate::export::parts::Parts;

/// Writes the model's parameters, without any other tensors of the file they came from.
pub(super) fn write(model: &SavedModel, path: &Path) -> Result<()> {
    let parts = Parts::of(model)?;
    SavedModel { tensors: parts.tensors()?, about: Some(parts.about.clone()) }.write(path)
}
