//! shadegrad
pub mod config;
pub mod data;
pub mod device;
pub mod error;
pub mod host;
pub mod init;
pub mod kernel;
pub mod layers;
pub mod model;
pub mod ops;
pub mod optim;
pub mod plan;
pub mod rng;
pub mod run;
pub mod schedule;
pub mod tensor;
pub mod train;
pub use error::{Error, ErrorKind, Result};
