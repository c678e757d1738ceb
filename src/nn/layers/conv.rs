//! A convolution, with a fused ReLU if one follows.

use crate::nn::init::ParameterKind;
use crate::nn::{Forward, Layer, Module, Parameter, Size};
use crate::ops::window::Window;
use crate::ops::{column_sum, conv2d};
use crate::plan::{Plan, Role};
use crate::tensor::layout::FileLayout;

/// Sizes and options of a convolution.
#[derive(Clone, Copy, Debug)]
pub(in crate::nn) struct ConvShape {
    pub(in crate::nn) channels: usize,
    /// Size, stride and padding.
    pub(in crate::nn) window: Window,
    /// Size of the output, which must be a map.
    pub(in crate::nn) size: Size,
    pub(in crate::nn) bias: bool,
    /// Whether a ReLU follows.
    pub(in crate::nn) relu: bool,
}

/// PyTorch's `nn.Conv2d` with channels last: `weight` is `[filters, height, width, channels]` and
/// `bias` is `[filters]`. The names of both start with `prefix`.
///
/// If `is_trained` is false, the weight is computed from the training images before the first step.
pub(in crate::nn) fn conv(
    plan: &mut Plan,
    prefix: &str,
    spec: String,
    shape: ConvShape,
    is_trained: bool,
) -> Layer {
    let ConvShape { channels, window, size, bias, relu } = shape;
    let Size::Map { channels: filters, height: rows, width: columns } = size else {
        unreachable!("the output of a convolution is a map")
    };
    let Window { height, width, .. } = window;
    let fans = [channels, filters].map(|channels| channels * height * width);
    let sizes = [filters, height, width, channels];
    let role = if is_trained { Role::Parameter } else { Role::Statistic };
    let name = format!("{prefix}weight");
    let weight = Parameter::declare_as(plan, role, name, sizes, ParameterKind::Weight, fans);
    plan.lay_out(weight.tensor, FileLayout::filters(filters, [height, width], channels));
    let bias =
        bias.then(|| Parameter::declare(plan, format!("{prefix}bias"), [filters], ParameterKind::Bias, fans));
    let bias_tensor = bias.map(|bias| bias.tensor);
    let module = Module::Conv { weight: weight.tensor, bias: bias_tensor, window };
    let layer = Layer::new(spec, size, module, move |plan, x, phase| {
        let operand = phase.operand(plan, &weight);
        let y = conv2d::forward(plan, x, operand, bias_tensor, relu, window);
        Forward::new(y, move |plan, pass, sink| {
            // The gradient of the input comes first, because it needs the weight before its update.
            let dx = pass.dx_wanted.then(|| {
                let mask = pass.mask_dx.then_some(x);
                conv2d::data_gradient(plan, pass.dy, operand, x.shape(), mask, window)
            });
            if is_trained && sink.wants(plan, &weight) {
                let dw = conv2d::weight_gradient(plan, pass.dy, x, window);
                sink.gradient(plan, &weight, dw);
            }
            if let Some(bias) = bias.filter(|bias| sink.wants(plan, bias)) {
                let db = column_sum::forward(plan, pass.dy);
                sink.gradient(plan, &bias, db);
            }
            dx
        })
    });
    Layer {
        parameters: is_trained.then_some(weight).into_iter().chain(bias).collect(),
        whitening: (!is_trained).then_some(weight.tensor),
        operations: 2 * (weight.tensor.len() * rows * columns) as u64,
        ..layer.with_relu(relu)
    }
}
