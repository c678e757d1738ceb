//! Output sizes of layers, and whether a device can hold them.

use super::layer_spec::LayerSpec;
use super::limits::MOST_VALUES;
use super::model_spec::ModelSpec;
use crate::data::ImageShape;
use crate::error::{Error, Result};
use crate::nn::Size;
use crate::ops::window::Window;
use crate::remedy::Remedy;

impl From<ImageShape> for Size {
    fn from(ImageShape { channels, height, width }: ImageShape) -> Self {
        Size::Map { height, width, channels }
    }
}

impl LayerSpec {
    /// Returns the size of the output for one image, for an input of the size `input`.
    pub(in crate::nn) fn output(&self, input: Size) -> Result<Size> {
        let misplaced = || {
            Error::usage(format!("model layer `{self}` needs a map, but its input is a row of {input}"))
                .advise("put it before the first linear or flatten")
        };
        let map = || match input {
            Size::Map { height, width, channels } => Ok((height, width, channels)),
            Size::Row(_) => Err(misplaced()),
        };
        let under = |window: &Window, filters: Option<usize>| {
            let (height, width, channels) = map()?;
            let output = window.output(height, width).ok_or_else(|| {
                Error::usage(format!("model layer `{self}`: its window is larger than its input, {input}"))
                    .advise("use a smaller window, more padding (pN), or fewer pools before it")
            })?;
            let [height, width] = output;
            Ok(Size::Map { height, width, channels: filters.unwrap_or(channels) })
        };
        match self {
            LayerSpec::Linear { outputs } => match input {
                Size::Row(_) => Ok(Size::Row(*outputs)),
                // Only inside a residual: elsewhere a missing flatten is inserted.
                Size::Map { .. } => Err(Error::usage(format!(
                    "model layer `{self}` needs a row, but its input is a map of {input}"
                ))
                .advise("put flatten before it")),
            },
            LayerSpec::Conv { filters, window } => under(window, Some(*filters)),
            LayerSpec::Whiten(window) => {
                let (_, _, channels) = map()?;
                // A patch has as many eigenvectors as values; each is used with both signs.
                under(window, Some(2 * channels * window.height * window.width))
            }
            LayerSpec::Pool(_, window) => {
                // A window that is entirely in the padding has no maximum.
                if 2 * window.padding > window.height {
                    return Err(Error::usage(format!(
                        "model layer `{self}` pads more than half of its window"
                    ))
                    .advise("use less padding (pN)"));
                }
                under(window, None)
            }
            LayerSpec::GlobalPool(_) => {
                let (_, _, channels) = map()?;
                Ok(Size::Map { height: 1, width: 1, channels })
            }
            LayerSpec::Flatten => Ok(Size::Row(input.values())),
            LayerSpec::BatchNorm { .. } | LayerSpec::Activation(_) | LayerSpec::Dropout { .. } => Ok(input),
            LayerSpec::Residual { body, shortcut } => {
                let through =
                    |layers: &[LayerSpec]| layers.iter().try_fold(input, |size, layer| layer.output(size));
                let (inside, around) = (through(body)?, through(shortcut)?);
                if inside == around {
                    return Ok(inside);
                }
                let name = if shortcut.is_empty() { "its input" } else { "its shortcut" };
                Err(Error::usage(format!(
                    "model layer `{self}`: its layers output {inside}, which cannot be added to {name}, {around}"
                ))
                .advise("write residual(LAYERS|SHORTCUT) with a shortcut of that size, such as conv:64x1s2,batchnorm"))
            }
        }
    }

    /// Returns the map whose order the values of the output have, if the output is a flattened map.
    /// `map` is the same for the input.
    pub(in crate::nn) fn map_behind(&self, input: Size, map: Option<Size>) -> Option<Size> {
        match (self, input) {
            // With a single position or channel, both orders are the same.
            (LayerSpec::Flatten, Size::Map { height, width, channels }) => {
                (height * width > 1 && channels > 1).then_some(input)
            }
            (LayerSpec::Linear { .. }, _) => None,
            (LayerSpec::Residual { body, .. }, _) => map_behind(body, input, map),
            // These layers do not change the order.
            _ => map,
        }
    }

    /// Returns the number of values of the layer's largest trained tensor.
    fn weight(&self, input: Size) -> usize {
        match (self, input) {
            (LayerSpec::Linear { outputs }, _) => outputs.saturating_mul(input.values()),
            (LayerSpec::Conv { filters, window }, Size::Map { channels, .. }) => {
                let places = window.height * window.width;
                filters.saturating_mul(places).saturating_mul(channels)
            }
            // Too few to exceed the limit.
            _ => 0,
        }
    }

    /// Checks that neither this layer nor one inside it has more values than a device can index.
    fn check_size(&self, input: Size, map: Option<Size>, rows: usize) -> Result<()> {
        if let LayerSpec::Residual { body, shortcut } = self {
            check(body, input, map, rows)?;
            check(shortcut, input, map, rows)?;
            self.output(input)?;
            // Channels are last on devices and first in files. Both operands of a sum must have the
            // same order.
            if map_behind(body, input, map) != map_behind(shortcut, input, map) {
                return Err(Error::usage(format!("model layer `{self}` adds a row to a flattened map"))
                    .advise("put a linear before it, or also into its shortcut"));
            }
        }
        let output = rows.saturating_mul(self.output(input)?.values());
        for (what, values) in [("weight", self.weight(input)), ("output", output)] {
            if values > MOST_VALUES {
                return Err(too_large(&format!("the {what} of {self}"), values));
            }
        }
        Ok(())
    }
}

fn too_large(what: &str, values: usize) -> Error {
    Error::usage(format!("{what} would have {values} values, more than the maximum of {MOST_VALUES}"))
        .advise(Remedy::settings("use a smaller {} or {}", [("model", ""), ("batch-size", "")]))
}

fn check(layers: &[LayerSpec], input: Size, mut map: Option<Size>, rows: usize) -> Result<()> {
    let mut size = input;
    for layer in layers {
        layer.check_size(size, map, rows)?;
        map = layer.map_behind(size, map);
        size = layer.output(size)?;
    }
    Ok(())
}

/// Returns [`LayerSpec::map_behind`] of several layers, whose sizes have been checked.
fn map_behind(layers: &[LayerSpec], input: Size, map: Option<Size>) -> Option<Size> {
    let step = |(size, map), layer: &LayerSpec| {
        (layer.output(size).expect("sizes were checked"), layer.map_behind(size, map))
    };
    layers.iter().fold((input, map), step).1
}

/// Returns the first batch norm that has a single value per channel in a batch of `rows` images.
/// Sizes have been checked.
fn single_valued(layers: &[LayerSpec], input: Size, rows: usize) -> Option<&LayerSpec> {
    let mut size = input;
    for layer in layers {
        let places = match size {
            Size::Row(_) => 1,
            Size::Map { height, width, .. } => height * width,
        };
        let found = match layer {
            LayerSpec::BatchNorm { .. } => (rows * places == 1).then_some(layer),
            LayerSpec::Residual { body, shortcut } => {
                single_valued(body, size, rows).or_else(|| single_valued(shortcut, size, rows))
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        size = layer.output(size).expect("sizes were checked");
    }
    None
}

impl ModelSpec {
    /// Checks that the sizes of the layers match, and that weights and outputs for `rows` images
    /// have no more values than a device can index. Images are maps of the size `image`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) that names the layer that does not fit.
    pub fn check_sizes(&self, image: Size, rows: usize) -> Result<()> {
        let values = rows.saturating_mul(image.values());
        if values > MOST_VALUES {
            return Err(too_large(&format!("a batch of {rows} images"), values));
        }
        check(&self.layers, self.input(image), None, rows)
    }

    /// Checks that every batch norm has two or more values per channel in a training step of `rows`
    /// images, because a single value has no variance.
    pub(crate) fn check_batch_norm(&self, image: Size, rows: usize) -> Result<()> {
        match single_valued(&self.layers, self.input(image), rows) {
            None => Ok(()),
            Some(layer) => Err(Error::usage(format!(
                "model layer `{layer}` has only one value per channel in a step of {rows} image, which has no variance"
            ))
            .advise(Remedy::settings(
                "train with two or more images per step ({}), or remove the batch norm",
                [("batch-size", "")],
            ))),
        }
    }

    /// Returns the size of the model's input: a map if a layer needs one, else a row of the image's
    /// values, channel by channel as in files.
    pub(in crate::nn) fn input(&self, image: Size) -> Size {
        let before_row = self.layers.iter().take_while(|layer| !layer.makes_row());
        let needs_map = before_row.clone().any(|layer| layer.needs_map() || layer.is_batch_norm());
        if needs_map { image } else { Size::Row(image.values()) }
    }
}
