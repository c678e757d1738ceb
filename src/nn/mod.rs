//! Models, which are defined by one line of text.
//!
//! `linear:128,relu,linear:10` lists the layers in order. [`known_layers`] returns all layers.
//! Input sizes are inferred, maps are flattened before the first linear layer, and a last `linear`
//! with one output per class is added if it is missing. `N*LAYER` and `N*(LAYERS)` repeat layers.
//!
//! Parameters have the names that they have in a `nn.Sequential` of these modules, with `body.` and
//! `shortcut.` inside a residual.
//!
//! ```
//! use shadegrad::nn::{Model, ModelSpec, Size};
//! use shadegrad::plan::Plan;
//!
//! let image = Size::Map { height: 28, width: 28, channels: 1 };
//! let spec = ModelSpec::parse("conv:8x3,relu,maxpool:2", 10)?;
//! spec.check_sizes(image, 64)?;
//! let model = Model::new(&mut Plan::new(), &spec, image);
//! assert_eq!(model.spec(), "conv:8x3,relu,maxpool:2,flatten,linear:10");
//! assert_eq!(model.summary().parameters, 8 * 9 + 8 + 10 * 8 * 14 * 14 + 10);
//! # Ok::<(), shadegrad::Error>(())
//! ```

mod build;
pub mod init;
mod layer;
mod layers;
mod model;
mod module;
mod pool_kind;
mod size;
mod spec;
mod summary;

pub use init::{InitRule, ParameterKind};
pub use layer::{Backward, Forward, GradientSink, Layer, Parameter, Phase};
pub use model::{Model, backward};
pub use module::Module;
pub use pool_kind::PoolKind;
pub use size::Size;
pub use spec::{KnownLayer, ModelSpec, known_layers};
pub use summary::{Row, Summary};

pub use crate::ops::window::Window;
