//! The words that a model's text is made of.

use std::fmt;

use crate::ops::window::Window;

/// A layer, before its sizes are known. What it displays as is read as the same word again.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::nn) enum Word {
    Linear { outputs: usize },
    Conv { filters: usize, window: Window },
    Whiten(Window),
    MaxPool(Window),
    AveragePool(Window),
    GlobalMaxPool,
    GlobalAveragePool,
    BatchNorm { momentum: f32 },
    Relu,
    Gelu,
    LeakyRelu { slope: f32 },
    Scale { factor: f32 },
    Dropout { rate: f32 },
    Flatten,
    Residual { body: Vec<Word>, shortcut: Vec<Word> },
}

/// How a layer is written, for messages.
pub(in crate::nn) struct Pattern {
    /// Its name.
    pub name: &'static str,
    /// An example with everything that it takes.
    pub example: &'static str,
}

/// All layers.
pub(in crate::nn) const PATTERNS: [Pattern; 15] = [
    Pattern { name: "linear", example: "linear:128" },
    Pattern { name: "conv", example: "conv:32x3" },
    Pattern { name: "whiten", example: "whiten:2" },
    Pattern { name: "maxpool", example: "maxpool:2" },
    Pattern { name: "avgpool", example: "avgpool:2" },
    Pattern { name: "globalmaxpool", example: "globalmaxpool" },
    Pattern { name: "globalavgpool", example: "globalavgpool" },
    Pattern { name: "batchnorm", example: "batchnorm" },
    Pattern { name: "relu", example: "relu" },
    Pattern { name: "gelu", example: "gelu" },
    Pattern { name: "leakyrelu", example: "leakyrelu:0.01" },
    Pattern { name: "scale", example: "scale:0.125" },
    Pattern { name: "dropout", example: "dropout:0.5" },
    Pattern { name: "flatten", example: "flatten" },
    Pattern { name: "residual", example: "residual(conv:32x3,relu)" },
];

impl Word {
    /// PyTorch's usual momentum of a batch norm's running statistics: what they take of each batch.
    pub const USUAL_MOMENTUM: f32 = 0.1;

    /// What a convolution pads where nothing is said: as much as keeps the size of the map, where that is the same on
    /// both sides.
    pub fn usual_padding(size: usize) -> usize {
        if size % 2 == 1 { size / 2 } else { 0 }
    }

    /// Whether it reads maps and nothing else.
    pub fn needs_map(&self) -> bool {
        match self {
            Word::Conv { .. } | Word::Whiten(_) | Word::MaxPool(_) | Word::AveragePool(_) => true,
            Word::GlobalMaxPool | Word::GlobalAveragePool => true,
            Word::Residual { body, shortcut } => body.iter().chain(shortcut).any(Word::needs_map),
            _ => false,
        }
    }

    /// Whether it is a batch norm, which reads maps where it can.
    pub fn is_batch_norm(&self) -> bool {
        matches!(self, Word::BatchNorm { .. })
    }

    /// Whether it whitens images, or something inside it does.
    pub fn whitens(&self) -> bool {
        match self {
            Word::Residual { body, shortcut } => body.iter().chain(shortcut).any(Word::whitens),
            _ => matches!(self, Word::Whiten(_)),
        }
    }

    /// Whether it makes a row of whatever it reads.
    pub fn makes_row(&self) -> bool {
        matches!(self, Word::Linear { .. } | Word::Flatten)
    }
}

/// Words as a model's text has them.
pub(in crate::nn) fn text(words: &[Word]) -> String {
    words.iter().map(Word::to_string).collect::<Vec<_>>().join(",")
}

impl fmt::Display for Word {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pool = |name, window: &Window| {
            write!(formatter, "{name}:{}", window.height)?;
            suffix(formatter, window, window.height, 0)
        };
        match self {
            Word::MaxPool(window) => pool("maxpool", window),
            Word::AveragePool(window) => pool("avgpool", window),
            Word::Linear { outputs } => write!(formatter, "linear:{outputs}"),
            Word::Conv { filters, window } => {
                write!(formatter, "conv:{filters}x{}", window.height)?;
                suffix(formatter, window, 1, Word::usual_padding(window.height))
            }
            Word::GlobalMaxPool => formatter.write_str("globalmaxpool"),
            Word::GlobalAveragePool => formatter.write_str("globalavgpool"),
            Word::BatchNorm { momentum: Word::USUAL_MOMENTUM } => formatter.write_str("batchnorm"),
            Word::BatchNorm { momentum } => write!(formatter, "batchnorm:{momentum}"),
            Word::Whiten(window) => write!(formatter, "whiten:{}", window.height),
            Word::Relu => formatter.write_str("relu"),
            Word::Gelu => formatter.write_str("gelu"),
            Word::LeakyRelu { slope } => write!(formatter, "leakyrelu:{slope}"),
            Word::Scale { factor } => write!(formatter, "scale:{factor}"),
            Word::Dropout { rate } => write!(formatter, "dropout:{rate}"),
            Word::Flatten => formatter.write_str("flatten"),
            Word::Residual { body, shortcut } => {
                write!(formatter, "residual({}", text(body))?;
                if !shortcut.is_empty() {
                    write!(formatter, "|{}", text(shortcut))?;
                }
                formatter.write_str(")")
            }
        }
    }
}

/// Stride and padding, where they are not the usual ones.
fn suffix(formatter: &mut fmt::Formatter<'_>, window: &Window, stride: usize, padding: usize) -> fmt::Result {
    if window.stride != stride {
        write!(formatter, "s{}", window.stride)?;
    }
    if window.padding != padding {
        write!(formatter, "p{}", window.padding)?;
    }
    Ok(())
}
