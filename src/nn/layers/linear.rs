//! A linear layer, `y = x w^T + b`, with a fused ReLU if one follows.

use crate::nn::init::ParameterKind;
use crate::nn::{Forward, Layer, Module, Parameter, Phase, Size};
use crate::ops::activation::Activation;
use crate::ops::classifier::{self, InputGradient};
use crate::ops::matmul::{self, Epilogue, Form};
use crate::ops::softmax_cross_entropy::{Loss, Target};
use crate::plan::Plan;
use crate::tensor::Tensor;
use crate::tensor::layout::FileLayout;

/// PyTorch's `nn.Linear`: `weight` is `[outputs, inputs]` and `bias` is `[outputs]`.
#[derive(Debug)]
pub struct Linear {
    weight: Parameter,
    bias: Parameter,
    relu: bool,
}

impl Linear {
    /// Declares the layer's parameters in `plan`, with names that start with `prefix`. If the input
    /// is a flattened map, `map` is that map, because the columns of the weight then have another
    /// order in files.
    pub fn new(
        plan: &mut Plan,
        prefix: &str,
        inputs: usize,
        map: Option<Size>,
        outputs: usize,
        relu: bool,
    ) -> Self {
        let fans = [inputs, outputs];
        let (weight, bias) = (format!("{prefix}weight"), format!("{prefix}bias"));
        let weight = Parameter::declare(plan, weight, [outputs, inputs], ParameterKind::Weight, fans);
        if let Some(Size::Map { height, width, channels }) = map {
            plan.lay_out(weight.tensor, FileLayout::columns(outputs, height * width, channels));
        }
        let bias = Parameter::declare(plan, bias, [outputs], ParameterKind::Bias, fans);
        Linear { weight, bias, relu }
    }
}

impl Layer for Linear {
    fn spec(&self) -> String {
        let relu = if self.relu { ",relu" } else { "" };
        format!("linear:{}{relu}", self.weight.fan_out)
    }

    fn size(&self) -> Size {
        Size::Row(self.weight.fan_out)
    }

    fn parameters(&self) -> Vec<&Parameter> {
        vec![&self.weight, &self.bias]
    }

    fn reads_pixels(&self) -> bool {
        true
    }

    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, phase: Phase) -> Forward<'a> {
        let epilogue = Epilogue::Bias { bias: self.bias.tensor, relu: self.relu };
        let weight = phase.operand(plan, &self.weight);
        let y = matmul::product_in(plan, phase.element(), Form::Nt, x, weight, epilogue);
        Forward::new(y, move |plan, pass, sink| {
            // The gradient of the input comes first, because it needs the weight before its update.
            let dx = pass.dx_wanted.then(|| {
                let epilogue = if pass.mask_dx { Epilogue::Mask(x) } else { Epilogue::None };
                matmul::product_in(plan, x.element(), Form::Nn, pass.dy, weight, epilogue)
            });
            sink.product(plan, &self.weight, &self.bias, pass.dy, x);
            dx
        })
    }

    fn forward_with_loss<'a>(
        &'a self,
        plan: &mut Plan,
        x: Tensor,
        target: Target,
        gradient: InputGradient,
    ) -> Option<(Forward<'a>, Loss)> {
        let [weight, bias] = [self.weight.tensor, self.bias.tensor];
        if self.relu || !classifier::fits(x, weight) {
            return None;
        }
        let classifier::Output { logits, loss, dx } =
            classifier::forward(plan, x, [weight, bias], target, gradient);
        let forward = Forward::new(logits, move |plan, pass, sink| {
            sink.product(plan, &self.weight, &self.bias, pass.dy, x);
            dx
        });
        Some((forward, loss))
    }

    fn modules(&self) -> Vec<Module> {
        let relu = self.relu.then_some(Module::Activation(Activation::Relu));
        let linear = Module::Linear { weight: self.weight.tensor, bias: self.bias.tensor };
        [linear].into_iter().chain(relu).collect()
    }

    fn masks_gradient(&self) -> bool {
        self.relu
    }

    fn operations(&self) -> u64 {
        2 * self.weight.tensor.len() as u64
    }
}
