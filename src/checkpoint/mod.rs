//! Saved models: tensors by name, the information needed to use them, and finding them on disk.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let (path, model) = shadegrad::checkpoint::read_model(Path::new("runs/mine"))?;
//! println!("{}: {} tensors", path.display(), model.tensors.len());
//! # Ok::<(), shadegrad::Error>(())
//! ```

mod fingerprint;
pub(crate) mod manifest;
pub mod model_file;
mod weights;

pub use fingerprint::weights_sha256;
pub use model_file::{About, NamedTensor, SavedModel};
pub(crate) use weights::weights_of;
pub use weights::{BEST, MODEL, read_model};
