//! Builds layers from a model's specification, and declares their parameters in a plan.

use super::layer::Layer;
use super::layers::{self, ConvShape};
use super::model::Model;
use super::pool_kind::PoolKind;
use super::size::Size;
use super::spec::ModelSpec;
use super::spec::layer_spec::LayerSpec;
use crate::ops::{Activation, Window};
use crate::plan::Plan;

impl Model {
    /// Declares the parameters of `spec` for images that are maps of the size `image`. Names of
    /// parameters start with the layer's position, as in PyTorch's `nn.Sequential`.
    ///
    /// # Panics
    /// If the sizes do not match: see [`ModelSpec::check_sizes`].
    pub fn new(plan: &mut Plan, spec: &ModelSpec, image: Size) -> Self {
        sequence(&mut BuildState { plan, dropouts: 0 }, &spec.layers, "", spec.input(image), None)
    }
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
) -> Model {
    let mut layers: Vec<Layer> = Vec::new();
    let mut previous = Previous { size: input, map, masks_gradient: false };
    let mut rest = specs.iter().enumerate().peekable();
    while let Some((index, spec)) = rest.next() {
        let is_relu = |spec: &&LayerSpec| **spec == LayerSpec::Activation(Activation::Relu);
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
        previous = Previous { size: layer.size, map, masks_gradient: layer.masks_gradient };
        layers.push(layer);
    }
    Model::of(layers, input)
}

/// The output of the previous layer.
struct Previous {
    size: Size,
    /// The map whose order the values of a row have.
    map: Option<Size>,
    /// Whether it ends in a ReLU whose gradient the next layer masks.
    masks_gradient: bool,
}

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
) -> Layer {
    let plan = &mut *state.plan;
    let input = previous.size;
    let size = spec.output(input).expect("sizes were checked");
    let after_relu = previous.masks_gradient;
    let pool = |kind, window| layers::pool(spec.to_string(), kind, window, size, after_relu);
    match (spec, input) {
        (&LayerSpec::Linear { outputs }, _) => {
            layers::linear(plan, prefix, input.values(), previous.map, outputs, following.relu)
        }
        (&LayerSpec::Conv { window, .. }, Size::Map { channels, .. }) => {
            // A batch norm subtracts the mean of every channel, which includes the bias.
            let shape =
                ConvShape { channels, window, size, bias: !following.batch_norm, relu: following.relu };
            layers::conv(plan, prefix, spec.to_string(), shape, true)
        }
        (&LayerSpec::Whiten(window), Size::Map { channels, .. }) => {
            let shape = ConvShape { channels, window, size, bias: true, relu: false };
            layers::conv(plan, prefix, spec.to_string(), shape, false)
        }
        (&LayerSpec::Pool(kind, window), _) => pool(kind, window),
        (&LayerSpec::GlobalPool(kind), Size::Map { height, width, .. }) => {
            pool(kind, Window::whole(height, width))
        }
        (LayerSpec::Conv { .. } | LayerSpec::Whiten(_) | LayerSpec::GlobalPool(_), Size::Row(_)) => {
            unreachable!("sizes were checked")
        }
        (&LayerSpec::BatchNorm { momentum }, _) => {
            layers::batch_norm(plan, prefix, spec.to_string(), momentum, size, previous.map)
        }
        (&LayerSpec::Activation(function), _) => layers::activation(function, size),
        (&LayerSpec::Dropout { rate }, _) => {
            state.dropouts += 1;
            layers::dropout(rate, state.dropouts, size, after_relu)
        }
        (LayerSpec::Flatten, _) => layers::flatten(input.values(), after_relu),
        (LayerSpec::Residual { body, shortcut }, _) => layers::residual(
            sequence(state, body, &format!("{prefix}body."), input, previous.map),
            sequence(state, shortcut, &format!("{prefix}shortcut."), input, previous.map),
        ),
    }
}
