//! Builds layers from a model's specification, and declares their parameters in a plan.

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

/// Builds `layers` in sequence. Names of parameters start with the layer's position, as in
/// PyTorch's `nn.Sequential`.
///
/// # Panics
/// If the sizes do not match; they must have been [checked](super::ModelSpec::check_sizes).
pub(super) fn build(plan: &mut Plan, layers: &[LayerSpec], input: Size) -> Sequence {
    sequence(&mut BuildState { plan, dropouts: 0 }, layers, "", input, None)
}

/// The state of building layers.
struct BuildState<'a> {
    plan: &'a mut Plan,
    /// Number of dropouts so far, which selects the random numbers of each.
    dropouts: u32,
}

/// Builds layers whose input has the size `input`. If the input is a row that was flattened, `map`
/// is the map.
fn sequence(
    state: &mut BuildState<'_>,
    specs: &[LayerSpec],
    prefix: &str,
    input: Size,
    map: Option<Size>,
) -> Sequence {
    let mut layers: Vec<Box<dyn Layer>> = Vec::new();
    let mut previous = Previous { size: input, map, masks_gradient: false };
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
        let following = Following { relu: fuses_relu, batch_norm };
        if fuses_relu {
            rest.next();
        }
        let layer = layer(state, spec, &format!("{prefix}{index}."), &previous, following);
        let map = spec.map_behind(previous.size, previous.map);
        previous = Previous { size: layer.size(), map, masks_gradient: layer.masks_gradient() };
        layers.push(layer);
    }
    Sequence::new(layers, input)
}

/// The output of the previous layer.
struct Previous {
    size: Size,
    /// The map whose order the values of a row have.
    map: Option<Size>,
    /// Whether it ends in a ReLU whose gradient the next layer masks.
    masks_gradient: bool,
}

/// The following layers.
struct Following {
    /// Whether a ReLU follows, which is fused into the layer.
    relu: bool,
    /// Whether a batch norm follows, also after max pools, which commute with adding a constant to
    /// a channel.
    batch_norm: bool,
}

fn layer(
    state: &mut BuildState<'_>,
    spec: &LayerSpec,
    prefix: &str,
    previous: &Previous,
    following: Following,
) -> Box<dyn Layer> {
    let plan = &mut *state.plan;
    let input = previous.size;
    let size = spec.output(input).expect("sizes were checked");
    let pool = |kind, window| {
        Box::new(Pool { spec: spec.to_string(), kind, window, size, after_relu: previous.masks_gradient })
    };
    match (spec, input) {
        (&LayerSpec::Linear { outputs }, _) => {
            Box::new(Linear::new(plan, prefix, input.values(), previous.map, outputs, following.relu))
        }
        (&LayerSpec::Conv { window, .. }, Size::Map { channels, .. }) => {
            // A batch norm subtracts the mean of every channel, which includes the bias.
            let shape =
                ConvShape { channels, window, size, bias: !following.batch_norm, relu: following.relu };
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
            Box::new(BatchNorm::new(plan, prefix, spec.to_string(), momentum, size, previous.map))
        }
        (&LayerSpec::Activation(function), _) => Box::new(Activation { function, size }),
        (&LayerSpec::Dropout { rate }, _) => {
            state.dropouts += 1;
            Box::new(Dropout { rate, index: state.dropouts, size, after_relu: previous.masks_gradient })
        }
        (LayerSpec::Flatten, _) => {
            Box::new(Flatten { values: input.values(), after_relu: previous.masks_gradient })
        }
        (LayerSpec::Residual { body, shortcut }, _) => Box::new(Residual {
            body: sequence(state, body, &format!("{prefix}body."), input, previous.map),
            shortcut: sequence(state, shortcut, &format!("{prefix}shortcut."), input, previous.map),
        }),
    }
}
