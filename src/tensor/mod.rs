//! Handles to the arrays that a [`Plan`](crate::plan::Plan) computes with.

mod element;
mod handle;
pub mod layout;
mod shape;

pub use element::{Element, Precision};
pub use handle::Tensor;
pub use shape::Shape;
