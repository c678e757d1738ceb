//! What a trained model is once it is saved: its tensors by name, what is needed to use them, and the
//! folder that holds them whole.

mod fingerprint;
pub(crate) mod manifest;
pub mod model_file;
mod weights;

pub use fingerprint::weights_sha256;
pub use model_file::{About, NamedTensor, SavedModel};
pub use weights::{BEST, MODEL, read_model, weights_of};
