//! Saved models: tensors by name, the information needed to use them, and finding them on disk.

mod fingerprint;
pub(crate) mod manifest;
pub mod model_file;
mod weights;

pub use fingerprint::weights_sha256;
pub use model_file::{About, NamedTensor, SavedModel};
pub use weights::{BEST, MODEL, read_model, weights_of};
