//! shadegrad
pub mod cli;
pub mod data;
pub mod error;
pub use error::{Error, ErrorKind, Result};
