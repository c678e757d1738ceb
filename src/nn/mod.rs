//! Models: a list of layers from one line of text.
//!
//! `linear:128,relu,linear:10` names the layers in order. Sizes are inferred, maps are flattened
//! in front of the first linear layer, and a last `linear` to the number of classes is added where
//! it is missing.
//!
//! | layer | is |
//! | --- | --- |
//! | `linear:N` | `N` sums over all values, with a bias |
//! | `conv:NxK` | `N` filters with windows of `KxK`; `sS` behind it for a stride, `pP` for a padding (odd windows keep the map's size). In front of a batch norm, max pools between them or not, it has no bias |
//! | `whiten:K` | as the first layer: the convolution with windows of `KxK`, without padding, whose filters make patches of the training images uncorrelated. They are computed from the images and stay as they are; its bias is trained |
//! | `maxpool:K`, `avgpool:K` | the largest, or the mean, of windows of `KxK` that lie side by side, unless `sS` and `pP` say otherwise |
//! | `globalmaxpool`, `globalavgpool` | the same of a whole map |
//! | `batchnorm`, `batchnorm:X` | a batch norm, whose running statistics take the share `X` of each batch (0.1 where nothing is said) |
//! | `relu`, `gelu`, `leakyrelu:SLOPE` | activations |
//! | `scale:X` | a constant factor |
//! | `dropout:X` | zeros in the place of a share `X`, in training |
//! | `flatten` | a map's values in a row |
//! | `residual(LAYERS)`, `residual(LAYERS\|SHORTCUT)` | the sum of what the layers make of an input and the input, or what the shortcut makes of it |
//! | `N*LAYER`, `N*(LAYERS)` | the same `N` times |
//!
//! Names of parameters are those of the `nn.Sequential` that has these modules, with `body.` and `shortcut.` inside a
//! residual.

mod build;
pub mod init;
mod layer;
mod layers;
mod model;
mod module;
mod size;
mod spec;
mod summary;

pub use init::InitRule;
pub use layer::{Backward, Forward, GradientSink, Layer, Parameter, Phase};
pub use layers::{
    BatchNorm, Conv, ConvShape, Curve, Dropout, Flatten, Fold, Linear, Pool, Relu, Residual, Sequence,
};
pub use model::{Model, backward};
pub use module::Stage;
pub use size::Size;
pub use spec::ModelSpec;
pub use summary::{Row, Summary};

pub use crate::ops::window::Window;
