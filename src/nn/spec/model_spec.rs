//! The parsed and completed text of a model.

use super::layer_spec::LayerSpec;
use super::limits::MOST_LAYERS;
use super::parse;
use crate::error::{Error, Result};
use crate::ops::activation::Activation;

/// The layers of a model whose sizes are not known yet.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    pub(in crate::nn) layers: Vec<LayerSpec>,
}

impl ModelSpec {
    /// Parses the text of a model and completes it for `classes` classes.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the text is not a model, is too deep, or
    /// has a `whiten` that is not the first layer.
    pub fn parse(text: &str, classes: usize) -> Result<Self> {
        let mut layers = parse::parse(text)?;
        let whitens_late = |(index, layer): (usize, &LayerSpec)| {
            layer.whitens() && (index > 0 || !matches!(layer, LayerSpec::Whiten(_)))
        };
        if layers.iter().enumerate().any(whitens_late) {
            return Err(Error::usage("model: only the first layer can whiten images")
                .advise("put whiten:K before all other layers"));
        }
        // A constant factor may follow the last linear layer.
        let is_scale = |layer: &LayerSpec| matches!(layer, LayerSpec::Activation(Activation::Scale { .. }));
        let last = layers.iter().rposition(|layer| !is_scale(layer));
        if last.is_none_or(|last| layers[last] != LayerSpec::Linear { outputs: classes }) {
            layers.push(LayerSpec::Linear { outputs: classes });
        }
        let layers = flattened(layers);
        if layers.len() > MOST_LAYERS {
            return Err(Error::usage(format!("a model of {} layers is too deep", layers.len()))
                .advise(format!("use at most {MOST_LAYERS} layers")));
        }
        Ok(ModelSpec { layers })
    }
}

/// Inserts a `flatten` between the last map and the first row, if there is none.
fn flattened(layers: Vec<LayerSpec>) -> Vec<LayerSpec> {
    let row = layers.iter().position(LayerSpec::makes_row).expect("a model ends in a linear layer");
    let is_map = layers[..row].iter().any(|layer| layer.needs_map() || layer.is_batch_norm());
    let flatten = (is_map && layers[row] != LayerSpec::Flatten).then_some(LayerSpec::Flatten);
    let (maps, rows) = layers.split_at(row);
    maps.iter().cloned().chain(flatten).chain(rows.iter().cloned()).collect()
}
