//! Handles to the tensors of a [`Plan`](crate::plan::Plan).
//!
//! ```
//! use shadegrad::plan::{Plan, Role};
//! use shadegrad::tensor::Element;
//!
//! let mut plan = Plan::new();
//! let weight = plan.declare("0.weight", Role::Parameter, Element::F32, [10, 784]);
//! assert_eq!((weight.len(), weight.bytes()), (7840, 31360));
//! assert_eq!(weight.reshaped([784, 10]).matrix("weight"), [784, 10]);
//! ```

mod element;
mod handle;
pub mod layout;
mod shape;

pub use element::{Element, Precision};
pub use handle::Tensor;
pub use layout::FileLayout;
pub use shape::Shape;
