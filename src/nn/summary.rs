//! The summary of a model: output sizes, parameters and operations of its layers.

use super::layer::Layer;

/// A row of the summary.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// Nesting depth: the number of layers that contain this one.
    pub depth: usize,
    /// Text of the layer, or name of a part of the containing layer.
    pub layer: String,
    /// Size of the output for one image, channels first.
    pub output: String,
    /// Number of trained values.
    pub parameters: usize,
    /// Multiplications and additions of products in the forward pass for one image.
    pub operations: u64,
}

/// The layers of a model. The row of a layer is followed by the rows of the layers inside it, whose
/// figures it includes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Rows, first to last.
    pub rows: Vec<Row>,
    /// Number of trained values of all layers.
    pub parameters: usize,
    /// Number of operations of all layers.
    pub operations: u64,
}

impl Summary {
    pub(super) fn of(layers: &[Layer]) -> Self {
        let mut rows = Vec::new();
        add(&mut rows, layers, 0);
        Summary { rows, parameters: parameters(layers), operations: operations(layers) }
    }
}

fn parameters(layers: &[Layer]) -> usize {
    let all = layers.iter().flat_map(|layer| &layer.parameters);
    all.map(|parameter| parameter.tensor.len()).sum()
}

fn operations(layers: &[Layer]) -> u64 {
    layers.iter().map(|layer| layer.operations).sum()
}

fn add(rows: &mut Vec<Row>, layers: &[Layer], depth: usize) {
    for layer in layers {
        rows.push(row(layer, depth));
        for (name, inside) in &layer.inside {
            let Some(last) = inside.last() else { continue };
            rows.push(Row {
                depth: depth + 1,
                layer: (*name).into(),
                output: last.size.to_string(),
                parameters: parameters(inside),
                operations: operations(inside),
            });
            add(rows, inside, depth + 2);
        }
    }
}

fn row(layer: &Layer, depth: usize) -> Row {
    // Layers inside have their own rows.
    let shown = layer.spec.split_once('(').map_or(layer.spec.as_str(), |(name, _)| name);
    Row {
        depth,
        layer: shown.into(),
        output: layer.size.to_string(),
        parameters: layer.parameters.iter().map(|parameter| parameter.tensor.len()).sum(),
        operations: layer.operations,
    }
}
