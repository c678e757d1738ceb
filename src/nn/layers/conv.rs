//! A convolution, with a fused ReLU if one follows.

use crate::nn::init::ParameterKind;
use crate::nn::{Forward, Layer, Module, Parameter, Phase, Size};
use crate::ops::activation::Activation;
use crate::ops::window::Window;
use crate::ops::{column_sum, conv2d};
use crate::plan::{Plan, Role};
use crate::tensor::Tensor;
use crate::tensor::layout::FileLayout;

/// PyTorch's `nn.Conv2d` with channels last: `weight` is `[filters, height, width, channels]` and
/// `bias` is `[filters]`.
#[derive(Debug)]
pub struct Conv {
    spec: String,
    weight: Parameter,
    is_trained: bool,
    bias: Option<Parameter>,
    window: Window,
    relu: bool,
    size: Size,
}

/// Sizes and options of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct ConvShape {
    /// Number of input channels.
    pub channels: usize,
    /// Size, stride and padding.
    pub window: Window,
    /// Size of the output.
    pub size: Size,
    /// Whether it has a bias.
    pub bias: bool,
    /// Whether a ReLU follows.
    pub relu: bool,
}

impl Conv {
    /// Declares the layer's parameters in `plan`, with names that start with `prefix`. `spec` is
    /// the text of the layer.
    ///
    /// # Panics
    /// If the output is not a map.
    pub fn new(plan: &mut Plan, prefix: &str, spec: String, shape: ConvShape) -> Self {
        Conv::declare(plan, prefix, spec, shape, Role::Parameter)
    }

    /// Creates a convolution whose weight is not trained, but computed from the training images
    /// before the first step.
    ///
    /// # Panics
    /// If the output is not a map.
    pub fn whitening(plan: &mut Plan, prefix: &str, spec: String, shape: ConvShape) -> Self {
        Conv::declare(plan, prefix, spec, shape, Role::Statistic)
    }

    fn declare(plan: &mut Plan, prefix: &str, spec: String, shape: ConvShape, role: Role) -> Self {
        let ConvShape { channels, window, size, bias, relu } = shape;
        let Size::Map { channels: filters, .. } = size else {
            panic!("the output of a convolution is a map")
        };
        let Window { height, width, .. } = window;
        let fans = [channels, filters].map(|channels| channels * height * width);
        let sizes = [filters, height, width, channels];
        let name = format!("{prefix}weight");
        let weight = Parameter::declare_as(plan, role, name, sizes, ParameterKind::Weight, fans);
        plan.lay_out(weight.tensor, FileLayout::filters(filters, [height, width], channels));
        let bias = bias
            .then(|| Parameter::declare(plan, format!("{prefix}bias"), [filters], ParameterKind::Bias, fans));
        let is_trained = role == Role::Parameter;
        Conv { spec, weight, is_trained, bias, window, relu, size }
    }
}

impl Layer for Conv {
    fn spec(&self) -> String {
        format!("{}{}", self.spec, if self.relu { ",relu" } else { "" })
    }

    fn size(&self) -> Size {
        self.size
    }

    fn parameters(&self) -> Vec<&Parameter> {
        let weight = self.is_trained.then_some(&self.weight);
        weight.into_iter().chain(&self.bias).collect()
    }

    fn whitening(&self) -> Option<Tensor> {
        (!self.is_trained).then_some(self.weight.tensor)
    }

    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, phase: Phase) -> Forward<'a> {
        let weight = phase.operand(plan, &self.weight);
        let bias = self.bias.as_ref().map(|bias| bias.tensor);
        let y = conv2d::forward(plan, x, weight, bias, self.relu, self.window);
        Forward::new(y, move |plan, pass, sink| {
            // The gradient of the input comes first, because it needs the weight before its update.
            let dx = pass.dx_wanted.then(|| {
                let mask = pass.mask_dx.then_some(x);
                conv2d::data_gradient(plan, pass.dy, weight, x.shape(), mask, self.window)
            });
            if self.is_trained && sink.wants(plan, &self.weight) {
                let dw = conv2d::weight_gradient(plan, pass.dy, x, self.window);
                sink.gradient(plan, &self.weight, dw);
            }
            if let Some(bias) = self.bias.as_ref().filter(|bias| sink.wants(plan, bias)) {
                let db = column_sum::forward(plan, pass.dy);
                sink.gradient(plan, bias, db);
            }
            dx
        })
    }

    fn modules(&self) -> Vec<Module> {
        let bias = self.bias.as_ref().map(|bias| bias.tensor);
        let conv = Module::Conv { weight: self.weight.tensor, bias, window: self.window };
        [conv].into_iter().chain(self.relu.then_some(Module::Activation(Activation::Relu))).collect()
    }

    fn masks_gradient(&self) -> bool {
        self.relu
    }

    fn operations(&self) -> u64 {
        let Size::Map { height, width, .. } = self.size else {
            unreachable!("the output of a convolution is a map")
        };
        2 * (self.weight.tensor.len() * height * width) as u64
    }
}
