//! A linear layer, `y = x w^T + b`, with a fused ReLU if one follows.

use crate::nn::init::ParameterKind;
use crate::nn::{Forward, Layer, Module, Parameter, Size};
use crate::ops::classifier;
use crate::ops::matmul::{self, Epilogue, Form};
use crate::plan::Plan;
use crate::tensor::layout::FileLayout;

/// PyTorch's `nn.Linear`: `weight` is `[outputs, inputs]` and `bias` is `[outputs]`. The names of
/// both start with `prefix`.
///
/// If the input is a flattened map, `map` is that map, because the columns of the weight then have
/// another order in files.
pub(in crate::nn) fn linear(
    plan: &mut Plan,
    prefix: &str,
    inputs: usize,
    map: Option<Size>,
    outputs: usize,
    relu: bool,
) -> Layer {
    let fans = [inputs, outputs];
    let name = |what: &str| format!("{prefix}{what}");
    let weight = Parameter::declare(plan, name("weight"), [outputs, inputs], ParameterKind::Weight, fans);
    if let Some(Size::Map { height, width, channels }) = map {
        plan.lay_out(weight.tensor, FileLayout::columns(outputs, height * width, channels));
    }
    let bias = Parameter::declare(plan, name("bias"), [outputs], ParameterKind::Bias, fans);
    let module = Module::Linear { weight: weight.tensor, bias: bias.tensor };
    let layer = Layer::new(format!("linear:{outputs}"), Size::Row(outputs), module, move |plan, x, phase| {
        let epilogue = Epilogue::Bias { bias: bias.tensor, relu };
        let operand = phase.operand(plan, &weight);
        let y = matmul::product_in(plan, phase.element(), Form::Nt, x, operand, epilogue);
        Forward::new(y, move |plan, pass, sink| {
            // The gradient of the input comes first, because it needs the weight before its update.
            let dx = pass.dx_wanted.then(|| {
                let epilogue = if pass.mask_dx { Epilogue::Mask(x) } else { Epilogue::None };
                matmul::product_in(plan, x.element(), Form::Nn, pass.dy, operand, epilogue)
            });
            sink.product(plan, &weight, &bias, pass.dy, x);
            dx
        })
    });
    Layer {
        parameters: vec![weight, bias],
        reads_pixels: true,
        operations: 2 * weight.tensor.len() as u64,
        forward_with_loss: Some(Box::new(move |plan, x, target, gradient| {
            if relu || !classifier::fits(x, weight.tensor) {
                return None;
            }
            let tensors = [weight.tensor, bias.tensor];
            let classifier::Output { logits, loss, dx } =
                classifier::forward(plan, x, tensors, target, gradient);
            let forward = Forward::new(logits, move |plan, pass, sink| {
                sink.product(plan, &weight, &bias, pass.dy, x);
                dx
            });
            Some((forward, loss))
        })),
        ..layer.with_relu(relu)
    }
}
