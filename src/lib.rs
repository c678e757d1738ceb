//! shadegrad
pub mod config;
pub mod data;
pub mod device;
pub mod error;
pub mod host;
pub mod kernel;
pub mod ops;
pub mod plan;
pub mod tensor;
pub mod train;
pub use error::{Error, ErrorKind, Result};
