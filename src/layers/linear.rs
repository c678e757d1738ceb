//! A linear layer, `y = x w^T + b`, with a ReLU behind it if one follows.

use super::{Backward, GradientSink, Layer, Parameter, Stage};
use crate::init::ParameterKind;
use crate::ops::matmul::{self, Epilogue, Form};
use crate::plan::{Plan, Role};
use crate::tensor::{Element, Tensor};

/// `weight` is `[outputs, inputs]` and `bias` `[outputs]`, as in PyTorch's `nn.Linear`.
#[derive(Debug)]
pub struct Linear {
    /// Weight, then bias.
    parameters: [Parameter; 2],
    relu: bool,
}

impl Linear {
    /// Declares the layer's parameters in `plan`; `index` is its position in the model.
    pub fn new(plan: &mut Plan, index: usize, inputs: usize, outputs: usize, relu: bool) -> Self {
        let mut declare = |name: &str, shape: &[usize], kind| Parameter {
            tensor: plan.declare(format!("{index}.{name}"), Role::Parameter, Element::F32, shape),
            kind,
            inputs,
            outputs,
        };
        Linear {
            parameters: [
                declare("weight", &[outputs, inputs], ParameterKind::Weight),
                declare("bias", &[outputs], ParameterKind::Bias),
            ],
            relu,
        }
    }
}

impl Layer for Linear {
    fn spec(&self) -> String {
        let relu = if self.relu { ",relu" } else { "" };
        format!("linear:{}{relu}", self.outputs())
    }

    fn outputs(&self) -> usize {
        self.parameters[0].outputs
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn reads_pixels(&self) -> bool {
        true
    }

    fn forward(&self, plan: &mut Plan, x: Tensor) -> Tensor {
        let [weight, bias] = [&self.parameters[0], &self.parameters[1]].map(|parameter| parameter.tensor);
        let epilogue = Epilogue::Bias { bias, relu: self.relu };
        matmul::product(plan, Form::Nt, x, weight, epilogue)
    }

    fn backward(&self, plan: &mut Plan, pass: Backward, sink: &mut dyn GradientSink) -> Option<Tensor> {
        let [weight, bias] = &self.parameters;
        // The input's gradient comes first: it needs the weight as it was.
        let dx = pass.dx_wanted.then(|| {
            let epilogue = if pass.mask_dx { Epilogue::Mask(pass.x) } else { Epilogue::None };
            matmul::product(plan, Form::Nn, pass.dy, weight.tensor, epilogue)
        });
        sink.product(plan, weight, bias, pass.dy, pass.x);
        dx
    }

    fn stages(&self) -> Vec<Stage> {
        let [weight, bias] = [&self.parameters[0], &self.parameters[1]].map(|parameter| parameter.tensor);
        let relu = self.relu.then_some(Stage::Relu);
        [Stage::Linear { weight, bias }].into_iter().chain(relu).collect()
    }

    fn masks_gradient(&self) -> bool {
        self.relu
    }

    fn as_product(&self) -> Option<[Tensor; 2]> {
        (!self.relu).then(|| [&self.parameters[0], &self.parameters[1]].map(|parameter| parameter.tensor))
    }
}
