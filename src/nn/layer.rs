//! Layers: parameters, and functions that record the forward and backward pass in a plan. Layers do
//! not depend on devices.

use std::fmt::{self, Debug};
use std::rc::Rc;

use super::module::Module;
use super::size::Size;

use crate::nn::init::ParameterKind;
use crate::ops::classifier::InputGradient;
use crate::ops::softmax_cross_entropy::{Loss, Target};
use crate::ops::{Activation, cast, relu};
use crate::plan::{Plan, Role};
use crate::tensor::{Element, Shape, Tensor};

/// A trained tensor of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The tensor, with PyTorch's name.
    pub tensor: Tensor,
    /// Weight, bias, norm weight or norm bias.
    pub kind: ParameterKind,
    /// Number of inputs of each output.
    pub fan_in: usize,
    /// Number of outputs that use each input.
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

    /// Declares a tensor that is used like a parameter but has another role.
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

/// Receives the gradients of parameters, for example an optimizer or a test.
pub trait GradientSink {
    /// Whether the gradient of `parameter` is used. If not, a layer need not record it.
    fn wants(&self, _: &Plan, _parameter: &Parameter) -> bool {
        true
    }

    /// Receives the gradient of `weight`, the product `dy^T x`, and that of `bias`, the sum of the
    /// rows of `dy`. The sink decides whether to store them.
    fn product(&mut self, plan: &mut Plan, weight: &Parameter, bias: &Parameter, dy: Tensor, x: Tensor);

    /// Receives the gradient of `parameter`, a tensor of the same shape. No one else may read it,
    /// because the sink may overwrite it.
    fn gradient(&mut self, plan: &mut Plan, parameter: &Parameter, gradient: Tensor);
}

/// The purpose of a forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Training: a backward pass follows. Batch norms normalise with the statistics of the batch,
    /// and dropout is active.
    Training {
        /// Seed of dropout; `None` disables dropout.
        dropout: Option<u64>,
        /// Element type of activations and of the weights that products read: [`Element::F32`] or
        /// [`Element::F16`].
        element: Element,
    },
    /// Evaluation of the trained model.
    Evaluation,
}

impl Phase {
    /// Returns the element type of activations and of the weights that products read.
    pub fn element(self) -> Element {
        match self {
            Phase::Training { element, .. } => element,
            Phase::Evaluation => Element::F32,
        }
    }

    /// Returns the same phase in f32.
    pub(super) fn in_full(self) -> Phase {
        match self {
            Phase::Training { dropout, .. } => Phase::Training { dropout, element: Element::F32 },
            Phase::Evaluation => self,
        }
    }

    /// Returns the weight for products. In f16, this records a cast and returns the copy.
    pub(super) fn operand(self, plan: &mut Plan, weight: &Parameter) -> Tensor {
        match self.element() {
            Element::F16 => cast::to_f16(plan, weight.tensor),
            _ => weight.tensor,
        }
    }
}

/// A layer of a model.
pub struct Layer {
    /// The layer as in the text of a model: `linear:128`.
    pub spec: String,
    /// Size of the output for one image.
    pub size: Size,
    /// The trained tensors.
    pub parameters: Vec<Parameter>,
    /// The filters that are computed from the training images before the first step, if the layer
    /// has any.
    pub whitening: Option<Tensor>,
    /// Whether both passes use `x` only in products, so that it may be a batch of
    /// [pixels](crate::tensor::Element::Pixel).
    pub reads_pixels: bool,
    /// Whether the layer ends in a ReLU whose gradient the backward pass of the next layer applies
    /// (see [`Backward::mask_dx`]).
    pub masks_gradient: bool,
    /// Number of multiplications and additions of products in the forward pass for one image. Other
    /// operations are few in comparison.
    pub operations: u64,
    /// The layer in evaluation mode, for programs that know neither plans nor ops.
    pub modules: Vec<Module>,
    /// The layers inside, with the prefixes of their parameters' names.
    pub inside: Vec<(&'static str, Rc<[Layer]>)>,
    /// Records the forward pass of `x`, `[batch, ...]`, which has the output size of the previous
    /// layer.
    pub forward: Box<RecordForward>,
    /// Records the forward pass of the last layer and the loss in one op, if the layer supports it.
    pub forward_with_loss: Option<Box<RecordWithLoss>>,
}

type RecordForward = dyn Fn(&mut Plan, Tensor, Phase) -> Forward;

/// The gradient is that of the input, which the backward pass returns.
type RecordWithLoss = dyn Fn(&mut Plan, Tensor, Target, InputGradient) -> Option<(Forward, Loss)>;

impl Layer {
    /// Creates a layer without parameters. All other properties are those of most layers.
    pub(super) fn new(
        spec: impl Into<String>,
        size: Size,
        module: Module,
        forward: impl Fn(&mut Plan, Tensor, Phase) -> Forward + 'static,
    ) -> Self {
        Layer {
            spec: spec.into(),
            size,
            parameters: Vec::new(),
            whitening: None,
            reads_pixels: false,
            masks_gradient: false,
            operations: 0,
            modules: vec![module],
            inside: Vec::new(),
            forward: Box::new(forward),
            forward_with_loss: None,
        }
    }

    /// Adds a ReLU that is fused into the layer, if `relu`.
    pub(super) fn with_relu(mut self, relu: bool) -> Self {
        if relu {
            self.spec.push_str(",relu");
            self.modules.push(Module::Activation(Activation::Relu));
            self.masks_gradient = true;
        }
        self
    }
}

impl Debug for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.spec)
    }
}

/// The recorded forward pass of a layer, which can record the backward pass.
pub struct Forward {
    /// The output.
    pub y: Tensor,
    back: Box<Back>,
}

type Back = dyn FnOnce(&mut Plan, Backward, &mut dyn GradientSink) -> Option<Tensor>;

impl Forward {
    /// Creates a pass with the output `y`. `back` records the backward pass and returns the
    /// gradient of the layer's input, unless [`Backward::dx_wanted`] is false.
    pub fn new(
        y: Tensor,
        back: impl FnOnce(&mut Plan, Backward, &mut dyn GradientSink) -> Option<Tensor> + 'static,
    ) -> Self {
        Forward { y, back: Box::new(back) }
    }

    /// Records the backward pass. `sink` receives the gradients of the parameters.
    pub fn backward(self, plan: &mut Plan, pass: Backward, sink: &mut dyn GradientSink) -> Option<Tensor> {
        (self.back)(plan, pass, sink)
    }
}

impl Debug for Forward {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Forward").field("y", &self.y).finish_non_exhaustive()
    }
}

/// The input of a layer's backward pass.
#[derive(Clone, Copy, Debug)]
pub struct Backward {
    /// Gradient of the output, which is already masked if [`Layer::masks_gradient`] is true.
    pub dy: Tensor,
    /// Whether the gradient of the input is needed.
    pub dx_wanted: bool,
    /// Whether the previous layer ends in a ReLU whose gradient this layer must apply: `dx` is zero
    /// where `x` is zero.
    pub mask_dx: bool,
}

impl Backward {
    /// Applies the mask of the previous layer to the gradient of `x`, for layers whose ops do not
    /// apply it.
    pub(super) fn masked(&self, plan: &mut Plan, x: Tensor, dx: Tensor) -> Tensor {
        if self.mask_dx { relu::backward(plan, x, dx) } else { dx }
    }
}
