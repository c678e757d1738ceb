//! Layers: parameters, and how to record a forward and a backward pass in a plan. No layer knows
//! a device.

mod linear;
mod relu;

use std::fmt::Debug;

pub use linear::Linear;
pub use relu::Relu;

use crate::init::ParameterKind;
use crate::plan::Plan;
use crate::tensor::Tensor;

/// A trained tensor of a layer.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The tensor, named as PyTorch names it.
    pub tensor: Tensor,
    /// Weight or bias.
    pub kind: ParameterKind,
    /// Inputs of the layer: the fan-in.
    pub inputs: usize,
    /// Outputs of the layer: the fan-out.
    pub outputs: usize,
}

/// Where a layer hands the gradients of its parameters: an optimizer, or a test that keeps them.
pub trait GradientSink {
    /// The gradient of `weight` is the product `dy^T x`, that of `bias` the sum of dy's rows. Neither need
    /// be stored.
    fn product(&mut self, plan: &mut Plan, weight: &Parameter, bias: &Parameter, dy: Tensor, x: Tensor);

    /// The gradient of `parameter` is this tensor, of the same shape; nothing else may need it, since
    /// the sink may change it.
    fn gradient(&mut self, plan: &mut Plan, parameter: &Parameter, gradient: Tensor);
}

/// One layer of a model.
pub trait Layer: Debug {
    /// The layer as a model's text has it: `linear:128`.
    fn spec(&self) -> String;

    /// Values that the layer hands on for one image.
    fn outputs(&self) -> usize;

    /// The trained tensors.
    fn parameters(&self) -> &[Parameter] {
        &[]
    }

    /// Whether both passes read `x` only through products, so that it may be a batch of
    /// [pixels](crate::tensor::Element::Pixel).
    fn reads_pixels(&self) -> bool {
        false
    }

    /// Records the forward pass: `x` is `[batch, inputs]`, the result `[batch, outputs]`.
    fn forward(&self, plan: &mut Plan, x: Tensor) -> Tensor;

    /// Records the backward pass and returns the gradient of `x`, unless `pass.dx_wanted` says
    /// that nobody needs it.
    fn backward(&self, plan: &mut Plan, pass: Backward, sink: &mut dyn GradientSink) -> Option<Tensor>;

    /// What the layer computes with trained weights, for programs that know neither plans nor ops.
    fn stages(&self) -> Vec<Stage>;

    /// Whether the layer ends in a ReLU whose gradient the next layer's backward pass applies
    /// (see [`Backward::mask_dx`]).
    fn masks_gradient(&self) -> bool {
        false
    }

    /// Weight and bias of a layer that is `y = x w^T + b` and nothing else: behind it a loss can be part of its
    /// [product](crate::ops::classifier).
    fn as_product(&self) -> Option<[Tensor; 2]> {
        None
    }
}

/// A step of a trained model's forward pass, in terms that every framework has: what an export
/// translates into another format. A stage is a module of PyTorch's `nn.Sequential`, at the same
/// position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// `y = x w^T + b` of images whose values lie in one row.
    Linear {
        /// `[outputs, inputs]`.
        weight: Tensor,
        /// `[outputs]`.
        bias: Tensor,
    },
    /// `y = max(x, 0)`.
    Relu,
}

/// What a layer's backward pass is given.
#[derive(Clone, Copy, Debug)]
pub struct Backward {
    /// Input of the forward pass.
    pub x: Tensor,
    /// Output of the forward pass.
    pub y: Tensor,
    /// Gradient of `y`; already masked if the layer says [`Layer::masks_gradient`].
    pub dy: Tensor,
    /// Whether the gradient of `x` is needed.
    pub dx_wanted: bool,
    /// Whether `x` is the output of a ReLU inside the layer before, whose gradient this layer must
    /// apply: `dx` is to be zero where `x` is.
    pub mask_dx: bool,
}
