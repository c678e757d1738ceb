//! What sizes layers make of the sizes that they read, and whether a device can hold them.

use super::limits::MOST_VALUES;
use super::model_spec::ModelSpec;
use super::word::Word;
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

impl Word {
    /// What the layer hands on for an image of `input`.
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
            Word::Linear { outputs } => match input {
                Size::Row(_) => Ok(Size::Row(*outputs)),
                // Only inside a residual: elsewhere maps are flattened where it is missing.
                Size::Map { .. } => Err(Error::usage(format!(
                    "model layer `{self}` reads rows, but the layer before hands on a map of {input}"
                ))
                .advise("put flatten in front of it")),
            },
            Word::Conv { filters, window } => under(window, Some(*filters)),
            Word::Whiten(window) => {
                let (_, _, channels) = map()?;
                // A patch has as many directions as values; each comes with both signs.
                under(window, Some(2 * channels * window.height * window.width))
            }
            Word::MaxPool(window) | Word::AveragePool(window) => {
                // Of a window that lies in the padding, nothing is the largest.
                if 2 * window.padding > window.height {
                    return Err(Error::usage(format!(
                        "model layer `{self}` pads more than half of its window"
                    ))
                    .advise("use less padding (pN)"));
                }
                under(window, None)
            }
            Word::GlobalMaxPool | Word::GlobalAveragePool => {
                let (_, _, channels) = map()?;
                Ok(Size::Map { height: 1, width: 1, channels })
            }
            Word::Flatten => Ok(Size::Row(input.values())),
            Word::BatchNorm { .. }
            | Word::Relu
            | Word::Gelu
            | Word::LeakyRelu { .. }
            | Word::Scale { .. }
            | Word::Dropout { .. } => Ok(input),
            Word::Residual { body, shortcut } => {
                let through = |words: &[Word]| words.iter().try_fold(input, |size, word| word.output(size));
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

    /// The map in whose order the values lie of a row that the layer hands on, if it reads `input`, a row that was `map`.
    pub(in crate::nn) fn map_behind(&self, input: Size, map: Option<Size>) -> Option<Size> {
        match (self, input) {
            // A map of one cell or of one channel has one order.
            (Word::Flatten, Size::Map { height, width, channels }) => {
                (height * width > 1 && channels > 1).then_some(input)
            }
            (Word::Linear { .. }, _) => None,
            (Word::Residual { body, .. }, _) => map_behind(body, input, map),
            // It leaves places alone.
            _ => map,
        }
    }

    /// Values of the layer's largest trained tensor.
    fn weight(&self, input: Size) -> usize {
        match (self, input) {
            (Word::Linear { outputs }, _) => outputs.saturating_mul(input.values()),
            (Word::Conv { filters, window }, Size::Map { channels, .. }) => {
                let places = window.height * window.width;
                filters.saturating_mul(places).saturating_mul(channels)
            }
            // So few that no device minds.
            _ => 0,
        }
    }

    /// Fails where this layer, or one inside it, has more values than a device can index.
    fn check_size(&self, input: Size, map: Option<Size>, rows: usize) -> Result<()> {
        if let Word::Residual { body, shortcut } = self {
            check(body, input, map, rows)?;
            check(shortcut, input, map, rows)?;
            self.output(input)?;
            // Channels lie last on devices and first in files: what is added would change places, unless both do.
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

fn check(words: &[Word], input: Size, mut map: Option<Size>, rows: usize) -> Result<()> {
    let mut size = input;
    for word in words {
        word.check_size(size, map, rows)?;
        map = word.map_behind(size, map);
        size = word.output(size)?;
    }
    Ok(())
}

/// [`Word::map_behind`] of several layers, whose sizes fit.
fn map_behind(words: &[Word], input: Size, map: Option<Size>) -> Option<Size> {
    let step = |(size, map), word: &Word| {
        (word.output(size).expect("sizes were checked"), word.map_behind(size, map))
    };
    words.iter().fold((input, map), step).1
}

/// The first batch norm that sees a single value a channel in a batch of `rows` images. Sizes were
/// checked.
fn single_valued(words: &[Word], input: Size, rows: usize) -> Option<&Word> {
    let mut size = input;
    for word in words {
        let places = match size {
            Size::Row(_) => 1,
            Size::Map { height, width, .. } => height * width,
        };
        let found = match word {
            Word::BatchNorm { .. } => (rows * places == 1).then_some(word),
            Word::Residual { body, shortcut } => {
                single_valued(body, size, rows).or_else(|| single_valued(shortcut, size, rows))
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        size = word.output(size).expect("sizes were checked");
    }
    None
}

impl ModelSpec {
    /// Fails where layers do not fit each other, or where a weight, or what a layer hands on for `rows` images, has
    /// more values than a device can index. Images are maps of the size `image`.
    pub fn check_sizes(&self, image: Size, rows: usize) -> Result<()> {
        let values = rows.saturating_mul(image.values());
        if values > MOST_VALUES {
            return Err(too_large(&format!("a batch of {rows} images"), values));
        }
        check(&self.words, self.input(image), None, rows)
    }

    /// Fails where a batch norm would see a single value a channel in a training step of `rows`
    /// images: one value has no variance.
    pub fn check_batch_norm(&self, image: Size, rows: usize) -> Result<()> {
        match single_valued(&self.words, self.input(image), rows) {
            None => Ok(()),
            Some(word) => Err(Error::usage(format!(
                "model layer `{word}` sees one value a channel in a step of {rows} image, which has no variance"
            ))
            .advise(Remedy::settings(
                "train with two or more images a step ({}), or leave the batch norm out",
                [("batch-size", "")],
            ))),
        }
    }

    /// What the first layer reads: maps where a layer needs them, else images as they lie in files, channel by channel.
    pub(in crate::nn) fn input(&self, image: Size) -> Size {
        let before_row = self.words.iter().take_while(|word| !word.makes_row());
        let needs_map = before_row.clone().any(|word| word.needs_map() || word.is_batch_norm());
        if needs_map { image } else { Size::Row(image.values()) }
    }
}
