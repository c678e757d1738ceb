//! A batch norm: see [`ops::batch_norm`](crate::ops::batch_norm).

use crate::nn::init::ParameterKind;
use crate::nn::{Forward, Layer, Module, Parameter, Phase, Size};
use crate::ops::batch_norm::{self, Normalisation, Running};
use crate::plan::{Plan, Role};
use crate::tensor::{Element, FileLayout};

/// PyTorch's default epsilon.
const EPSILON: f32 = 1e-5;

/// A batch norm: PyTorch's `nn.BatchNorm2d`, or `nn.BatchNorm1d` for rows. `weight`, `bias`,
/// `running_mean` and `running_var` are `[channels]`.
///
/// The names of its tensors start with `prefix`. `momentum` is the weight of a batch in the running
/// statistics, as in PyTorch. If the input is a flattened map, `map` is that map, because the
/// tensors then have another order in files.
pub(in crate::nn) fn batch_norm(
    plan: &mut Plan,
    prefix: &str,
    spec: String,
    momentum: f32,
    size: Size,
    map: Option<Size>,
) -> Layer {
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
    let Running { mean, variance } = running;
    let module =
        Module::BatchNorm { weight: weight.tensor, bias: bias.tensor, mean, variance, epsilon: EPSILON };
    let normalisation = Normalisation { epsilon: EPSILON, momentum };
    let layer = Layer::new(spec, size, module, move |plan, x, phase| {
        let moments = match phase {
            Phase::Training { .. } => batch_norm::statistics(plan, x, running, normalisation),
            Phase::Evaluation => batch_norm::recall(plan, running, normalisation),
        };
        let y = batch_norm::apply(plan, x, moments, weight.tensor, bias.tensor);
        Forward::new(y, move |plan, pass, sink| {
            let gradients = batch_norm::backward(plan, x, moments, weight.tensor, pass.dy);
            sink.gradient(plan, &weight, gradients.dweight);
            sink.gradient(plan, &bias, gradients.dbias);
            pass.dx_wanted.then(|| pass.masked(plan, x, gradients.dx))
        })
    });
    Layer { parameters: vec![weight, bias], ..layer }
}
