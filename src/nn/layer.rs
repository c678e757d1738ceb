//! The interface of a layer: its parameters, and how to record its forward and its backward pass in
//! a plan. No layer knows a device.

use std::fmt::{self, Debug};

use super::module::Module;
use super::size::Size;

use crate::nn::init::ParameterKind;
use crate::ops::classifier::InputGradient;
use crate::ops::softmax_cross_entropy::{Loss, Target};
use crate::ops::{cast, relu};
use crate::plan::{Plan, Role};
use crate::tensor::{Element, Shape, Tensor};

/// A trained tensor of a layer.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The tensor, named as PyTorch names it.
    pub tensor: Tensor,
    /// Weight, bias, norm weight or norm bias.
    pub kind: ParameterKind,
    /// Inputs of one output.
    pub fan_in: usize,
    /// Outputs that one input goes into.
    pub fan_out: usize,
}

impl Parameter {
    pub(super) fn declare(
        plan: &mut Plan,
        name: String,
        shape: impl Into<Shape>,
        kind: ParameterKind,
        [fan_in, fan_out]: [usize; 2],
    ) -> Self {
        Parameter::declare_as(plan, Role::Parameter, name, shape, kind, [fan_in, fan_out])
    }

    /// Declares a tensor that is used like a parameter, in another role.
    pub(super) fn declare_as(
        plan: &mut Plan,
        role: Role,
        name: String,
        shape: impl Into<Shape>,
        kind: ParameterKind,
        [fan_in, fan_out]: [usize; 2],
    ) -> Self {
        let tensor = plan.declare(name, role, Element::F32, shape);
        Parameter { tensor, kind, fan_in, fan_out }
    }
}

/// Receives the gradients of parameters: an optimizer, or a test that keeps them.
pub trait GradientSink {
    /// Whether it uses the gradient of `parameter`; if not, a layer need not record it.
    fn wants(&self, _: &Plan, _parameter: &Parameter) -> bool {
        true
    }

    /// Takes the gradient of `weight`, the product `dy^T x`, and that of `bias`, the sum of the
    /// rows of `dy`. Neither need be stored.
    fn product(&mut self, plan: &mut Plan, weight: &Parameter, bias: &Parameter, dy: Tensor, x: Tensor);

    /// Takes the gradient of `parameter`, a tensor of the same shape. Nothing else may read it,
    /// since the sink may overwrite it.
    fn gradient(&mut self, plan: &mut Plan, parameter: &Parameter, gradient: Tensor);
}

/// The purpose of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A backward pass follows. A batch norm normalises by the batch, and dropout drops values.
    Training {
        /// Seed of dropout; without one, it drops nothing.
        dropout: Option<u64>,
        /// Element type of activations, and of weights as products read them: [`Element::F32`] or
        /// [`Element::Half`].
        element: Element,
    },
    /// The trained model is used.
    Evaluation,
}

impl Phase {
    /// Element type of activations, and of weights as products read them.
    pub fn element(self) -> Element {
        match self {
            Phase::Training { element, .. } => element,
            Phase::Evaluation => Element::F32,
        }
    }

    /// The same phase in f32.
    pub(super) fn in_full(self) -> Phase {
        match self {
            Phase::Training { dropout, .. } => Phase::Training { dropout, element: Element::F32 },
            Phase::Evaluation => self,
        }
    }

    /// A weight as products read it: in f16, a copy that is recorded here.
    pub(super) fn operand(self, plan: &mut Plan, weight: &Parameter) -> Tensor {
        match self.element() {
            Element::Half => cast::to_half(plan, weight.tensor),
            _ => weight.tensor,
        }
    }
}

/// One layer of a model.
pub trait Layer: Debug {
    /// The layer as a model's text has it: `linear:128`.
    fn spec(&self) -> String;

    /// Size of the output for one image.
    fn size(&self) -> Size;

    /// The trained tensors.
    fn parameters(&self) -> Vec<&Parameter> {
        Vec::new()
    }

    /// The filters that are computed from the training images before the first step, if the layer
    /// has such.
    fn whitening(&self) -> Option<Tensor> {
        None
    }

    /// Whether both passes read `x` only through products, so that it may be a batch of
    /// [pixels](crate::tensor::Element::Pixel).
    fn reads_pixels(&self) -> bool {
        false
    }

    /// Records the forward pass of `x`, `[batch, ...]` with the size of the output of the layer
    /// before.
    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, phase: Phase) -> Forward<'a>;

    /// Records the forward pass and the loss behind it in one op, if the layer can; it is the last
    /// one. `gradient` is the gradient of the input that the backward pass returns.
    fn forward_with_loss<'a>(
        &'a self,
        _: &mut Plan,
        _: Tensor,
        _: Target,
        _gradient: InputGradient,
    ) -> Option<(Forward<'a>, Loss)> {
        None
    }

    /// The layer in evaluation mode, for programs that know neither plans nor ops.
    fn modules(&self) -> Vec<Module>;

    /// Whether the layer ends in a ReLU whose gradient the backward pass of the layer behind it
    /// applies (see [`Backward::mask_dx`]).
    fn masks_gradient(&self) -> bool {
        false
    }

    /// Multiplications and additions of the forward pass for one image, of products only: others
    /// are few in comparison.
    fn operations(&self) -> u64 {
        0
    }

    /// Layers inside, under the prefixes of their parameters' names.
    fn inside(&self) -> Vec<(&'static str, &[Box<dyn Layer>])> {
        Vec::new()
    }
}

/// A layer's recorded forward pass, and how to record its backward pass.
pub struct Forward<'a> {
    /// The output.
    pub y: Tensor,
    back: Box<Back<'a>>,
}

type Back<'a> = dyn FnOnce(&mut Plan, Backward, &mut dyn GradientSink) -> Option<Tensor> + 'a;

impl<'a> Forward<'a> {
    /// A pass with the output `y`. `back` records the backward pass and returns the gradient of the
    /// layer's input, unless [`Backward::dx_wanted`] is false.
    pub fn new(
        y: Tensor,
        back: impl FnOnce(&mut Plan, Backward, &mut dyn GradientSink) -> Option<Tensor> + 'a,
    ) -> Self {
        Forward { y, back: Box::new(back) }
    }

    /// Records the backward pass; the gradients of the parameters go to `sink`.
    pub fn backward(self, plan: &mut Plan, pass: Backward, sink: &mut dyn GradientSink) -> Option<Tensor> {
        (self.back)(plan, pass, sink)
    }
}

impl Debug for Forward<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Forward").field("y", &self.y).finish_non_exhaustive()
    }
}

/// The input of a layer's backward pass.
#[derive(Clone, Copy, Debug)]
pub struct Backward {
    /// Gradient of the output; already masked if the layer says [`Layer::masks_gradient`].
    pub dy: Tensor,
    /// Whether the gradient of the input is needed.
    pub dx_wanted: bool,
    /// Whether the input is the output of a ReLU of the layer before whose gradient this layer must
    /// apply: `dx` is to be zero where `x` is.
    pub mask_dx: bool,
}

impl Backward {
    /// The gradient of `x` with the mask of the layer before, for layers whose ops do not apply it.
    pub(super) fn masked(&self, plan: &mut Plan, x: Tensor, dx: Tensor) -> Tensor {
        if self.mask_dx { relu::backward(plan, x, dx) } else { dx }
    }
}
