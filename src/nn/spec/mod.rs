//! The text of a model: its words, how it is read, and whether its sizes fit.

mod limits;
mod model_spec;
mod parse;
mod shape;
pub(super) mod word;

pub use model_spec::ModelSpec;
