//! From a model's text to layers with parameters in a plan.

use super::layer::Layer;
use super::layers::{
    Activation, BatchNorm, Conv, ConvShape, Dropout, Flatten, Linear, Pool, Residual, Sequence,
};
use super::pool_kind::PoolKind;
use super::size::Size;
use super::spec::layer_spec::LayerSpec;
use crate::ops::activation::Activation as Function;
use crate::ops::window::Window;
use crate::plan::Plan;

/// Declares `layers`, one behind the other. Names of parameters are the layer's position, as in
/// PyTorch's `nn.Sequential`.
///
/// # Panics
/// If sizes do not fit: they were [checked](super::ModelSpec::check_sizes).
pub(super) fn build(plan: &mut Plan, layers: &[LayerSpec], input: Size) -> Sequence {
    sequence(&mut Site { plan, dropouts: 0 }, layers, "", input, None)
}

/// Where layers are built.
struct Site<'a> {
    plan: &'a mut Plan,
    /// Dropouts so far: each has random numbers of its own.
    dropouts: u32,
}

/// Builds layers whose input has the size `input` and, as a row, lies in the order of `map`.
fn sequence(
    site: &mut Site<'_>,
    specs: &[LayerSpec],
    prefix: &str,
    input: Size,
    map: Option<Size>,
) -> Sequence {
    let mut layers: Vec<Box<dyn Layer>> = Vec::new();
    let mut before = Before { size: input, map, masks_gradient: false };
    let mut rest = specs.iter().enumerate().peekable();
    while let Some((index, spec)) = rest.next() {
        let is_relu = |spec: &&LayerSpec| **spec == LayerSpec::Activation(Function::Relu);
        let is_product = matches!(spec, LayerSpec::Linear { .. } | LayerSpec::Conv { .. });
        let fuses_relu = is_product && rest.peek().is_some_and(|(_, next)| is_relu(next));
        let is_max_pool = |spec: &&LayerSpec| {
            matches!(spec, LayerSpec::Pool(PoolKind::Max, _) | LayerSpec::GlobalPool(PoolKind::Max))
        };
        let batch_norm =
            specs[index + 1..].iter().find(|spec| !is_max_pool(spec)).is_some_and(LayerSpec::is_batch_norm);
        let behind = Behind { relu: fuses_relu, batch_norm };
        if fuses_relu {
            rest.next();
        }
        let layer = layer(site, spec, &format!("{prefix}{index}."), &before, behind);
        let map = spec.map_behind(before.size, before.map);
        before = Before { size: layer.size(), map, masks_gradient: layer.masks_gradient() };
        layers.push(layer);
    }
    Sequence::new(layers, input)
}

/// The output of the layer before.
struct Before {
    size: Size,
    /// The map in whose order a row's values lie.
    map: Option<Size>,
    /// Whether it ends in a ReLU whose gradient others mask.
    masks_gradient: bool,
}

/// The layers behind.
struct Behind {
    /// A ReLU that becomes part of the layer.
    relu: bool,
    /// A batch norm, perhaps behind max pools, which commute with adding a constant to a channel.
    batch_norm: bool,
}

fn layer(
    site: &mut Site<'_>,
    spec: &LayerSpec,
    prefix: &str,
    before: &Before,
    behind: Behind,
) -> Box<dyn Layer> {
    let plan = &mut *site.plan;
    let input = before.size;
    let size = spec.output(input).expect("sizes were checked");
    let pool = |kind, window| {
        Box::new(Pool { spec: spec.to_string(), kind, window, size, after_relu: before.masks_gradient })
    };
    match (spec, input) {
        (&LayerSpec::Linear { outputs }, _) => {
            Box::new(Linear::new(plan, prefix, input.values(), before.map, outputs, behind.relu))
        }
        (&LayerSpec::Conv { window, .. }, Size::Map { channels, .. }) => {
            // A batch norm subtracts every channel's mean, and a bias with it.
            let shape = ConvShape { channels, window, size, bias: !behind.batch_norm, relu: behind.relu };
            Box::new(Conv::new(plan, prefix, spec.to_string(), shape))
        }
        (&LayerSpec::Whiten(window), Size::Map { channels, .. }) => {
            let shape = ConvShape { channels, window, size, bias: true, relu: false };
            Box::new(Conv::whitening(plan, prefix, spec.to_string(), shape))
        }
        (&LayerSpec::Pool(kind, window), _) => pool(kind, window),
        (&LayerSpec::GlobalPool(kind), Size::Map { height, width, .. }) => {
            pool(kind, Window::whole(height, width))
        }
        (LayerSpec::Conv { .. } | LayerSpec::Whiten(_) | LayerSpec::GlobalPool(_), Size::Row(_)) => {
            unreachable!("sizes were checked")
        }
        (&LayerSpec::BatchNorm { momentum }, _) => {
            Box::new(BatchNorm::new(plan, prefix, spec.to_string(), momentum, size, before.map))
        }
        (&LayerSpec::Activation(function), _) => Box::new(Activation { function, size }),
        (&LayerSpec::Dropout { rate }, _) => {
            site.dropouts += 1;
            Box::new(Dropout { rate, index: site.dropouts, size, after_relu: before.masks_gradient })
        }
        (LayerSpec::Flatten, _) => {
            Box::new(Flatten { values: input.values(), after_relu: before.masks_gradient })
        }
        (LayerSpec::Residual { body, shortcut }, _) => Box::new(Residual {
            body: sequence(site, body, &format!("{prefix}body."), input, before.map),
            shortcut: sequence(site, shortcut, &format!("{prefix}shortcut."), input, before.map),
        }),
    }
}
