//! What a layer is: parameters, and how to record a forward and a backward pass in a plan. No layer
//! knows a device.

use std::fmt::{self, Debug};

use super::module::Stage;
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
    /// Weight, bias or gain.
    pub kind: ParameterKind,
    /// Values that one output is made of.
    pub fan_in: usize,
    /// Outputs that one value goes into.
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

    /// A tensor that is used like a parameter, and may be for something else.
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

/// Where a layer hands the gradients of its parameters: an optimizer, or a test that keeps them.
pub trait GradientSink {
    /// Whether it does anything with the gradient of `parameter`; if not, a layer need not record it.
    fn wants(&self, _: &Plan, _parameter: &Parameter) -> bool {
        true
    }

    /// The gradient of `weight` is the product `dy^T x`, that of `bias` the sum of dy's rows. Neither need
    /// be stored.
    fn product(&mut self, plan: &mut Plan, weight: &Parameter, bias: &Parameter, dy: Tensor, x: Tensor);

    /// The gradient of `parameter` is this tensor, of the same shape; nothing else may need it, since
    /// the sink may change it.
    fn gradient(&mut self, plan: &mut Plan, parameter: &Parameter, gradient: Tensor);
}

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A pass back follows. A batch norm normalises by the batch, and dropout drops.
    Training {
        /// What dropout's random numbers follow from; it drops nothing where there is none.
        dropout: Option<u64>,
        /// As what layers hand floats on, and read their weights: [`Element::F32`] or [`Element::Half`].
        element: Element,
    },
    /// The trained model is used.
    Evaluation,
}

impl Phase {
    /// As what layers hand floats on, and read their weights.
    pub fn element(self) -> Element {
        match self {
            Phase::Training { element, .. } => element,
            Phase::Evaluation => Element::F32,
        }
    }

    /// The same, with all floats in 32 bits.
    pub(super) fn in_full(self) -> Phase {
        match self {
            Phase::Training { dropout, .. } => Phase::Training { dropout, element: Element::F32 },
            Phase::Evaluation => self,
        }
    }

    /// A weight as products read it; recorded where it must be made.
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

    /// What the layer hands on for one image.
    fn size(&self) -> Size;

    /// The trained tensors.
    fn parameters(&self) -> Vec<&Parameter> {
        Vec::new()
    }

    /// The filters that are computed from the training images before the first step, where there are such.
    fn whitening(&self) -> Option<Tensor> {
        None
    }

    /// Whether both passes read `x` only through products, so that it may be a batch of
    /// [pixels](crate::tensor::Element::Pixel).
    fn reads_pixels(&self) -> bool {
        false
    }

    /// Records the forward pass: `x` is `[batch, ...]` of the size that the layer before hands on, the result of
    /// this layer's.
    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, phase: Phase) -> Forward<'a>;

    /// The same with the loss behind it in one op, where the layer is the last one and can do that. `gradient` is what
    /// the pass back returns.
    fn forward_with_loss<'a>(
        &'a self,
        _: &mut Plan,
        _: Tensor,
        _: Target,
        _gradient: InputGradient,
    ) -> Option<(Forward<'a>, Loss)> {
        None
    }

    /// What the layer computes with trained weights, for programs that know neither plans nor ops.
    fn stages(&self) -> Vec<Stage>;

    /// Whether the layer ends in a ReLU whose gradient the pass back through the layer behind it applies
    /// (see [`Backward::mask_dx`]).
    fn masks_gradient(&self) -> bool {
        false
    }

    /// Multiplications and additions of the forward pass, for one image: those of products, beside which others
    /// are few.
    fn operations(&self) -> u64 {
        0
    }

    /// Layers inside, under the names that their parameters have.
    fn inside(&self) -> Vec<(&'static str, &[Box<dyn Layer>])> {
        Vec::new()
    }
}

/// A layer's recorded forward pass, and how to record the pass back through it.
pub struct Forward<'a> {
    /// The output.
    pub y: Tensor,
    back: Box<Back<'a>>,
}

type Back<'a> = dyn FnOnce(&mut Plan, Backward, &mut dyn GradientSink) -> Option<Tensor> + 'a;

impl<'a> Forward<'a> {
    /// A pass that gave `y`; `back` records the pass back and returns the gradient of the layer's input, unless
    /// [`Backward::dx_wanted`] says that nobody needs it.
    pub fn new(
        y: Tensor,
        back: impl FnOnce(&mut Plan, Backward, &mut dyn GradientSink) -> Option<Tensor> + 'a,
    ) -> Self {
        Forward { y, back: Box::new(back) }
    }

    /// Records the pass back; the gradients of the parameters go to `sink`.
    pub fn backward(self, plan: &mut Plan, pass: Backward, sink: &mut dyn GradientSink) -> Option<Tensor> {
        (self.back)(plan, pass, sink)
    }
}

impl Debug for Forward<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Forward").field("y", &self.y).finish_non_exhaustive()
    }
}

/// What a layer's backward pass is given.
#[derive(Clone, Copy, Debug)]
pub struct Backward {
    /// Gradient of the output; already masked if the layer says [`Layer::masks_gradient`].
    pub dy: Tensor,
    /// Whether the gradient of the input is needed.
    pub dx_wanted: bool,
    /// Whether the input is the output of a ReLU inside the layer before, whose gradient this layer must
    /// apply: `dx` is to be zero where `x` is.
    pub mask_dx: bool,
}

impl Backward {
    /// The gradient of `x` as the layer before wants it, for layers whose ops do not mask it on the way.
    pub(super) fn masked(&self, plan: &mut Plan, x: Tensor, dx: Tensor) -> Tensor {
        if self.mask_dx { relu::backward(plan, x, dx) } else { dx }
    }
}
