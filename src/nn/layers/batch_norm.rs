//! A batch norm: see [`ops::batch_norm`](crate::ops::batch_norm).

use crate::nn::init::ParameterKind;
use crate::nn::{Forward, Layer, Module, Parameter, Phase, Size};
use crate::ops::batch_norm::{self, Normalisation, Running};
use crate::plan::{Plan, Role};
use crate::tensor::layout::FileLayout;
use crate::tensor::{Element, Tensor};

/// PyTorch's default epsilon.
const EPSILON: f32 = 1e-5;

/// A batch norm: PyTorch's `nn.BatchNorm2d`, or `nn.BatchNorm1d` for rows. `weight`, `bias`,
/// `running_mean` and `running_var` are `[channels]`.
#[derive(Debug)]
pub struct BatchNorm {
    spec: String,
    normalisation: Normalisation,
    weight: Parameter,
    bias: Parameter,
    running: Running,
    size: Size,
}

impl BatchNorm {
    /// Declares the layer's tensors in `plan`, with names that start with `prefix`. `spec` is its
    /// text, and `momentum` the weight of a batch in the running statistics, as in PyTorch. If the
    /// input is a flattened map, `map` is that map, because the tensors then have another order in
    /// files.
    pub fn new(
        plan: &mut Plan,
        prefix: &str,
        spec: String,
        momentum: f32,
        size: Size,
        map: Option<Size>,
    ) -> Self {
        let (Size::Row(channels) | Size::Map { channels, .. }) = size;
        let mut parameter =
            |name: &str, kind| Parameter::declare(plan, format!("{prefix}{name}"), [channels], kind, [1, 1]);
        let weight = parameter("weight", ParameterKind::NormWeight);
        let bias = parameter("bias", ParameterKind::NormBias);
        let mut statistic =
            |name: &str| plan.declare(format!("{prefix}{name}"), Role::Statistic, Element::F32, [channels]);
        let running = Running { mean: statistic("running_mean"), variance: statistic("running_var") };
        if let (Size::Row(_), Some(Size::Map { height, width, channels })) = (size, map) {
            for tensor in [weight.tensor, bias.tensor, running.mean, running.variance] {
                plan.lay_out(tensor, FileLayout::places(height * width, channels));
            }
        }
        BatchNorm {
            spec,
            normalisation: Normalisation { epsilon: EPSILON, momentum },
            weight,
            bias,
            running,
            size,
        }
    }
}

impl Layer for BatchNorm {
    fn spec(&self) -> String {
        self.spec.clone()
    }

    fn size(&self) -> Size {
        self.size
    }

    fn parameters(&self) -> Vec<&Parameter> {
        vec![&self.weight, &self.bias]
    }

    fn forward<'a>(&'a self, plan: &mut Plan, x: Tensor, phase: Phase) -> Forward<'a> {
        let (weight, bias) = (self.weight.tensor, self.bias.tensor);
        let moments = match phase {
            Phase::Training { .. } => batch_norm::statistics(plan, x, self.running, self.normalisation),
            Phase::Evaluation => batch_norm::recall(plan, self.running, self.normalisation),
        };
        let y = batch_norm::apply(plan, x, moments, weight, bias);
        Forward::new(y, move |plan, pass, sink| {
            let gradients = batch_norm::backward(plan, x, moments, weight, pass.dy);
            sink.gradient(plan, &self.weight, gradients.dweight);
            sink.gradient(plan, &self.bias, gradients.dbias);
            pass.dx_wanted.then(|| pass.masked(plan, x, gradients.dx))
        })
    }

    fn modules(&self) -> Vec<Module> {
        vec![Module::BatchNorm {
            weight: self.weight.tensor,
            bias: self.bias.tensor,
            mean: self.running.mean,
            variance: self.running.variance,
            epsilon: self.normalisation.epsilon,
        }]
    }
}
