//! The layers, one file each.

mod activation;
mod batch_norm;
mod conv;
mod dropout;
mod flatten;
mod linear;
mod pool;
mod residual;

pub(super) use activation::activation;
pub(super) use batch_norm::batch_norm;
pub(super) use conv::{ConvShape, conv};
pub(super) use dropout::dropout;
pub(super) use flatten::flatten;
pub(super) use linear::linear;
pub(super) use pool::pool;
pub(super) use residual::residual;
