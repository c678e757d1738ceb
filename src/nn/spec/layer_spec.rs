//! The list of layers and the text of each.

use std::fmt;

use crate::nn::pool_kind::PoolKind;
use crate::ops::{Activation, Window};

/// A layer whose sizes are not known yet. Its display is its text in a model.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::nn) enum LayerSpec {
    Linear { outputs: usize },
    Conv { filters: usize, window: Window },
    Whiten(Window),
    Pool(PoolKind, Window),
    GlobalPool(PoolKind),
    BatchNorm { momentum: f32 },
    Activation(Activation),
    Dropout { rate: f32 },
    Flatten,
    Residual { body: Vec<LayerSpec>, shortcut: Vec<LayerSpec> },
}

/// A layer of [`known_layers`].
#[derive(Clone, Debug)]
pub struct KnownLayer {
    /// An example with all arguments, as in the text of a model: `conv:32x3`.
    pub example: String,
    /// A summary in Markdown: the module of PyTorch, if there is one.
    pub summary: String,
}

/// Returns all layers, in the order of help and messages.
///
/// ```
/// let layers = shadegrad::nn::known_layers();
/// assert!(layers.iter().any(|layer| layer.example == "leakyrelu:0.01"));
/// ```
pub fn known_layers() -> Vec<KnownLayer> {
    let known = |layer: LayerSpec| KnownLayer { example: layer.to_string(), summary: layer.summary() };
    LayerSpec::examples().into_iter().map(known).collect()
}

impl LayerSpec {
    /// PyTorch's default momentum of running statistics, which is the weight of each batch.
    pub(crate) const DEFAULT_MOMENTUM: f32 = 0.1;

    /// Returns an example of every layer. The parser, the help and messages use this list.
    pub(crate) fn examples() -> Vec<LayerSpec> {
        let square = |size, stride, padding| Window::square(size, stride, padding);
        let conv = LayerSpec::Conv { filters: 32, window: square(3, 1, 1) };
        let mut all =
            vec![LayerSpec::Linear { outputs: 128 }, conv.clone(), LayerSpec::Whiten(square(2, 1, 0))];
        all.extend(PoolKind::ALL.iter().map(|&kind| LayerSpec::Pool(kind, square(2, 2, 0))));
        all.extend(PoolKind::ALL.iter().map(|&kind| LayerSpec::GlobalPool(kind)));
        all.push(LayerSpec::BatchNorm { momentum: LayerSpec::DEFAULT_MOMENTUM });
        all.extend(Activation::all().map(LayerSpec::Activation));
        let body = vec![conv, LayerSpec::Activation(Activation::Relu)];
        let residual = LayerSpec::Residual { body, shortcut: Vec::new() };
        all.extend([LayerSpec::Dropout { rate: 0.5 }, LayerSpec::Flatten, residual]);
        all
    }

    /// Returns the name, which comes before sizes and other arguments.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            LayerSpec::Linear { .. } => "linear",
            LayerSpec::Conv { .. } => "conv",
            LayerSpec::Whiten(_) => "whiten",
            LayerSpec::Pool(kind, _) => kind.name(),
            LayerSpec::GlobalPool(kind) => kind.global_name(),
            LayerSpec::BatchNorm { .. } => "batchnorm",
            LayerSpec::Activation(activation) => activation.name(),
            LayerSpec::Dropout { .. } => "dropout",
            LayerSpec::Flatten => "flatten",
            LayerSpec::Residual { .. } => "residual",
        }
    }

    /// Returns a summary in Markdown.
    fn summary(&self) -> String {
        let summary = match self {
            LayerSpec::Linear { .. } => "`nn.Linear` with 128 outputs",
            LayerSpec::Conv { .. } => {
                "`nn.Conv2d` with 32 filters of 3x3. `s2` after it sets the stride and `p0` the \
                 padding; by default, odd windows keep the size of the map and even ones are not \
                 padded. It has no bias before `batchnorm`, even with max pools between them"
            }
            LayerSpec::Whiten(_) => {
                "`nn.Conv2d` with windows of 2x2 and no padding, as the first layer. Its filters are \
                 computed from the training images such that their outputs are uncorrelated, and are \
                 not trained; its bias is"
            }
            LayerSpec::Pool(PoolKind::Max, _) => {
                "`nn.MaxPool2d`; `s` sets the stride and `p` the padding, as in `maxpool:3s2p1`"
            }
            LayerSpec::Pool(PoolKind::Average, _) => {
                "`nn.AvgPool2d`; `s` sets the stride and `p` the padding, as in `avgpool:3s2p1`"
            }
            LayerSpec::GlobalPool(PoolKind::Max) => "`nn.AdaptiveMaxPool2d(1)`",
            LayerSpec::GlobalPool(PoolKind::Average) => "`nn.AdaptiveAvgPool2d(1)`",
            LayerSpec::BatchNorm { .. } => {
                "`nn.BatchNorm2d`, or `nn.BatchNorm1d` after `flatten` or `linear`; `batchnorm:0.4` sets \
                 PyTorch's `momentum`. Training needs two values per channel in a step; a last batch \
                 with a single value is normalised with the running statistics and does not change them"
            }
            LayerSpec::Activation(activation) => activation.summary(),
            LayerSpec::Dropout { .. } => "`nn.Dropout`",
            LayerSpec::Flatten => "`nn.Flatten`",
            LayerSpec::Residual { .. } => {
                "the sum of its input and the output of the layers inside; in \
                 `residual(LAYERS|SHORTCUT)`, the sum of the outputs of both"
            }
        };
        summary.into()
    }

    /// Returns the default padding of a convolution, which keeps the size of the map if the padding
    /// can be the same on both sides.
    pub(crate) fn default_padding(size: usize) -> usize {
        if size % 2 == 1 { size / 2 } else { 0 }
    }

    /// Whether the input must be a map.
    pub(crate) fn needs_map(&self) -> bool {
        match self {
            LayerSpec::Conv { .. } | LayerSpec::Whiten(_) => true,
            LayerSpec::Pool(..) | LayerSpec::GlobalPool(_) => true,
            LayerSpec::Residual { body, shortcut } => body.iter().chain(shortcut).any(LayerSpec::needs_map),
            _ => false,
        }
    }

    /// Whether the layer is a batch norm, which prefers a map as input.
    pub(crate) fn is_batch_norm(&self) -> bool {
        matches!(self, LayerSpec::BatchNorm { .. })
    }

    /// Whether the layer, or one inside it, whitens images.
    pub(crate) fn whitens(&self) -> bool {
        match self {
            LayerSpec::Residual { body, shortcut } => body.iter().chain(shortcut).any(LayerSpec::whitens),
            _ => matches!(self, LayerSpec::Whiten(_)),
        }
    }

    /// Whether the output is a row for any input.
    pub(crate) fn makes_row(&self) -> bool {
        matches!(self, LayerSpec::Linear { .. } | LayerSpec::Flatten)
    }
}

/// Formats layers as in the text of a model.
pub(in crate::nn) fn text(layers: &[LayerSpec]) -> String {
    layers.iter().map(LayerSpec::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Display for LayerSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            LayerSpec::Linear { outputs } => write!(formatter, "{name}:{outputs}"),
            LayerSpec::Conv { filters, window } => {
                let padding = LayerSpec::default_padding(window.height);
                write!(formatter, "{name}:{filters}x{}{}", window.height, suffix(window, 1, padding))
            }
            LayerSpec::Whiten(window) => write!(formatter, "{name}:{}", window.height),
            LayerSpec::Pool(_, window) => {
                write!(formatter, "{name}:{}{}", window.height, suffix(window, window.height, 0))
            }
            LayerSpec::BatchNorm { momentum: LayerSpec::DEFAULT_MOMENTUM } => formatter.write_str(name),
            LayerSpec::BatchNorm { momentum } => write!(formatter, "{name}:{momentum}"),
            LayerSpec::Activation(activation) => activation.fmt(formatter),
            LayerSpec::Dropout { rate } => write!(formatter, "{name}:{rate}"),
            LayerSpec::GlobalPool(_) | LayerSpec::Flatten => formatter.write_str(name),
            LayerSpec::Residual { body, shortcut } => {
                let bar = if shortcut.is_empty() { "" } else { "|" };
                write!(formatter, "{name}({}{bar}{})", text(body), text(shortcut))
            }
        }
    }
}

/// Formats stride and padding, if they differ from the defaults.
fn suffix(window: &Window, stride: usize, padding: usize) -> String {
    let mut text = String::new();
    if window.stride != stride {
        text.push_str(&format!("s{}", window.stride));
    }
    if window.padding != padding {
        text.push_str(&format!("p{}", window.padding));
    }
    text
}
