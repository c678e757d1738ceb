//! The text of a model: the list of layers, the parser, and the check of sizes.

pub(super) mod layer_spec;
mod limits;
mod model_spec;
mod parse;
mod shape;

pub use layer_spec::{KnownLayer, known_layers};
pub use model_spec::ModelSpec;
