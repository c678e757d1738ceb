//! From words to layers with parameters in a plan.

use super::layer::Layer;
use super::layers::{
    BatchNorm, Conv, ConvShape, Curve, Dropout, Flatten, Fold, Linear, Pool, Relu, Residual, Sequence,
};
use super::size::Size;
use crate::nn::spec::word::Word;
use crate::ops::activation::Activation;
use crate::ops::window::Window;
use crate::plan::Plan;

/// Declares the layers of `words` behind one another; names of parameters start with `prefix` and the layer's position, as
/// in PyTorch's `nn.Sequential`.
///
/// Panics where sizes do not fit: they were [checked](super::ModelSpec::check_sizes).
pub(super) fn build(plan: &mut Plan, words: &[Word], input: Size) -> Sequence {
    sequence(&mut Site { plan, dropouts: 0 }, words, "", input, None)
}

/// Where layers are built.
struct Site<'a> {
    plan: &'a mut Plan,
    /// How many there are so far: each has random numbers of its own.
    dropouts: u32,
}

/// Behind what hands on `input`, a row that was `map`.
fn sequence(site: &mut Site<'_>, words: &[Word], prefix: &str, input: Size, map: Option<Size>) -> Sequence {
    let mut layers: Vec<Box<dyn Layer>> = Vec::new();
    let mut before = Before { size: input, map, masks_gradient: false };
    let mut rest = words.iter().enumerate().peekable();
    while let Some((index, word)) = rest.next() {
        let next = rest.peek().map(|(_, word)| *word);
        let fuses_relu = matches!(word, Word::Linear { .. } | Word::Conv { .. }) && next == Some(&Word::Relu);
        let is_pool = |word: &&Word| matches!(word, Word::MaxPool(_) | Word::GlobalMaxPool);
        let batch_norm =
            words[index + 1..].iter().find(|word| !is_pool(word)).is_some_and(Word::is_batch_norm);
        let behind = Behind { relu: fuses_relu, batch_norm };
        if fuses_relu {
            rest.next();
        }
        let layer = layer(site, word, &format!("{prefix}{index}."), &before, behind);
        let map = word.map_behind(before.size, before.map);
        before = Before { size: layer.size(), map, masks_gradient: layer.masks_gradient() };
        layers.push(layer);
    }
    Sequence::new(layers, input)
}

/// What comes out of the layer before.
struct Before {
    size: Size,
    /// The map in whose order a row's values lie.
    map: Option<Size>,
    /// Whether it ends in a ReLU whose gradient others mask.
    masks_gradient: bool,
}

/// What follows.
struct Behind {
    /// A ReLU that becomes part of the layer.
    relu: bool,
    /// A batch norm, perhaps behind max pools, which leave what is added to a whole channel as it is.
    batch_norm: bool,
}

fn layer(site: &mut Site<'_>, word: &Word, prefix: &str, before: &Before, behind: Behind) -> Box<dyn Layer> {
    let plan = &mut *site.plan;
    let input = before.size;
    let size = word.output(input).expect("sizes were checked");
    let pool = |fold, window| {
        Box::new(Pool { spec: word.to_string(), fold, window, size, after_relu: before.masks_gradient })
    };
    let curve = |activation| Box::new(Curve { activation, size });
    match (word, input) {
        (&Word::Linear { outputs }, _) => {
            Box::new(Linear::new(plan, prefix, input.values(), before.map, outputs, behind.relu))
        }
        (&Word::Conv { window, .. }, Size::Map { channels, .. }) => {
            // A batch norm takes every channel's mean away, and a bias with it.
            let shape = ConvShape { channels, window, size, bias: !behind.batch_norm, relu: behind.relu };
            Box::new(Conv::new(plan, prefix, word.to_string(), shape))
        }
        (&Word::Whiten(window), Size::Map { channels, .. }) => {
            let shape = ConvShape { channels, window, size, bias: true, relu: false };
            Box::new(Conv::whitening(plan, prefix, word.to_string(), shape))
        }
        (&Word::MaxPool(window), _) => pool(Fold::Max, window),
        (&Word::AveragePool(window), _) => pool(Fold::Average, window),
        (Word::GlobalMaxPool, Size::Map { height, width, .. }) => {
            pool(Fold::Max, Window::whole(height, width))
        }
        (Word::GlobalAveragePool, Size::Map { height, width, .. }) => {
            pool(Fold::Average, Window::whole(height, width))
        }
        (
            Word::Conv { .. } | Word::Whiten(_) | Word::GlobalMaxPool | Word::GlobalAveragePool,
            Size::Row(_),
        ) => {
            unreachable!("sizes were checked")
        }
        (&Word::BatchNorm { momentum }, _) => {
            Box::new(BatchNorm::new(plan, prefix, word.to_string(), momentum, size, before.map))
        }
        (Word::Relu, _) => Box::new(Relu { size }),
        (Word::Gelu, _) => curve(Activation::Gelu),
        (&Word::LeakyRelu { slope }, _) => curve(Activation::LeakyRelu { slope }),
        (&Word::Scale { factor }, _) => curve(Activation::Scale { factor }),
        (&Word::Dropout { rate }, _) => {
            site.dropouts += 1;
            Box::new(Dropout { rate, index: site.dropouts, size, after_relu: before.masks_gradient })
        }
        (Word::Flatten, _) => Box::new(Flatten { values: input.values(), after_relu: before.masks_gradient }),
        (Word::Residual { body, shortcut }, _) => Box::new(Residual {
            body: sequence(site, body, &format!("{prefix}body."), input, before.map),
            shortcut: sequence(site, shortcut, &format!("{prefix}shortcut."), input, before.map),
        }),
    }
}
