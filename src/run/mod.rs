//! What a run leaves on disk: model files, metrics, and what is needed to know how it came about.

pub mod clock;
pub mod directory;
pub mod event;

pub mod model_file;

pub use directory::RunDirectory;
pub use model_file::{NamedTensor, SavedModel};
