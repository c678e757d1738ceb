//! The layers, one file each.

mod activation;
mod batch_norm;
mod conv;
mod dropout;
mod flatten;
mod linear;
mod pool;
mod residual;
mod sequential;

pub use activation::Activation;
pub use batch_norm::BatchNorm;
pub use conv::{Conv, ConvShape};
pub use dropout::Dropout;
pub use flatten::Flatten;
pub use linear::Linear;
pub use pool::Pool;
pub use residual::Residual;
pub use sequential::Sequence;
