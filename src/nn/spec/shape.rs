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
    /// Size of the output for an image whose input has the size `input`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the layer cannot read this input.
    pub(in crate::nn) fn output(&self, input: Size) -> Result<Size> {
        let misplaced = || {
            Error::usage(format!(
                "model layer `{self}` reads maps, but the layer before hands on a row of {input}"
            ))
            .advise("put it in front of the first linear or flatten")
        };
        let map = || match input {
            Size::Map { height, width, channels } => Ok((height, width, channels)),
            Size::Row(_) => Err(misplaced()),
        };
        let under = |window: &Window, filters: Option<usize>| {
            let (height, width, channels) = map()?;
            let output = window.output(height, width).ok_or_else(|| {
                Error::usage(format!(
                    "model layer `{self}`: its window is larger than what it reads, {input}"
                ))
                .advise("use a smaller window, more padding (pN), or fewer pools in front of it")
            })?;
            let [height, width] = output;
            Ok(Size::Map { height, width, channels: filters.unwrap_or(channels) })
        };
        match self {
            LayerSpec::Linear { outputs } => match input {
                Size::Row(_) => Ok(Size::Row(*outputs)),
                // Only inside a residual: elsewhere maps are flattened where it is missing.
                Size::Map { .. } => Err(Error::usage(format!(
                    "model layer `{self}` reads rows, but the layer before hands on a map of {input}"
                ))
                .advise("put flatten in front of it")),
            },
            LayerSpec::Conv { filters, window } => under(window, Some(*filters)),
            LayerSpec::Whiten(window) => {
                let (_, _, channels) = map()?;
                // A patch has as many directions as values; each comes with both signs.
                under(window, Some(2 * channels * window.height * window.width))
            }
            LayerSpec::Pool(_, window) => {
                // Of a window that lies in the padding, nothing is the largest.
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
                let name = if shortcut.is_empty() { "what it reads" } else { "its shortcut's" };
                Err(Error::usage(format!(
                    "model layer `{self}`: its layers make {inside}, which cannot be added to {name}, {around}"
                ))
                .advise("write residual(LAYERS|SHORTCUT) with a shortcut of that size, such as conv:64x1s2,batchnorm"))
            }
        }
    }

    /// The map in whose order the values of the output lie, if the output is a row that was a map.
    /// `map` is the same for the input.
    pub(in crate::nn) fn map_behind(&self, input: Size, map: Option<Size>) -> Option<Size> {
        match (self, input) {
            // A map of one cell or of one channel has one order.
            (LayerSpec::Flatten, Size::Map { height, width, channels }) => {
                (height * width > 1 && channels > 1).then_some(input)
            }
            (LayerSpec::Linear { .. }, _) => None,
            (LayerSpec::Residual { body, .. }, _) => map_behind(body, input, map),
            // It changes no order.
            _ => map,
        }
    }

    /// Values of the layer's largest trained tensor.
    fn weight(&self, input: Size) -> usize {
        match (self, input) {
            (LayerSpec::Linear { outputs }, _) => outputs.saturating_mul(input.values()),
            (LayerSpec::Conv { filters, window }, Size::Map { channels, .. }) => {
                let places = window.height * window.width;
                filters.saturating_mul(places).saturating_mul(channels)
            }
            // Too few to matter.
            _ => 0,
        }
    }

    /// Fails where this layer, or one inside it, has more values than a device can index.
    fn check_size(&self, input: Size, map: Option<Size>, rows: usize) -> Result<()> {
        if let LayerSpec::Residual { body, shortcut } = self {
            check(body, input, map, rows)?;
            check(shortcut, input, map, rows)?;
            self.output(input)?;
            // Channels lie last on devices and first in files. The order of a sum must be that of
            // both operands.
            if map_behind(body, input, map) != map_behind(shortcut, input, map) {
                return Err(Error::usage(format!("model layer `{self}` adds a row to one that was a map"))
                    .advise("put a linear in front of it, or into its shortcut, too"));
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
    Error::usage(format!("{what} would have {values} values, more than the {MOST_VALUES} possible"))
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

/// [`LayerSpec::map_behind`] of several layers, whose sizes fit.
fn map_behind(layers: &[LayerSpec], input: Size, map: Option<Size>) -> Option<Size> {
    let step = |(size, map), layer: &LayerSpec| {
        (layer.output(size).expect("sizes were checked"), layer.map_behind(size, map))
    };
    layers.iter().fold((input, map), step).1
}

/// The first batch norm that reads a single value per channel in a batch of `rows` images. Sizes
/// were checked.
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
    /// Checks that the layers fit each other, and that weights and the outputs for `rows` images
    /// have no more values than a device can index. Images are maps of the size `image`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage), with the layer that does not fit.
    pub fn check_sizes(&self, image: Size, rows: usize) -> Result<()> {
        let values = rows.saturating_mul(image.values());
        if values > MOST_VALUES {
            return Err(too_large(&format!("a batch of {rows} images"), values));
        }
        check(&self.layers, self.input(image), None, rows)
    }

    /// Checks that every batch norm reads two or more values per channel in a training step of
    /// `rows` images: one value has no variance.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage), with the layer that reads a single value.
    pub fn check_batch_norm(&self, image: Size, rows: usize) -> Result<()> {
        match single_valued(&self.layers, self.input(image), rows) {
            None => Ok(()),
            Some(layer) => Err(Error::usage(format!(
                "model layer `{layer}` sees one value a channel in a step of {rows} image, which has no variance"
            ))
            .advise(Remedy::settings(
                "train with two or more images a step ({}), or leave the batch norm out",
                [("batch-size", "")],
            ))),
        }
    }

    /// Size of the model's input: a map where a layer needs one, else a row of the image's values,
    /// channel by channel, as files have them.
    pub(in crate::nn) fn input(&self, image: Size) -> Size {
        let before_row = self.layers.iter().take_while(|layer| !layer.makes_row());
        let needs_map = before_row.clone().any(|layer| layer.needs_map() || layer.is_batch_norm());
        if needs_map { image } else { Size::Row(image.values()) }
    }
}
