//! Sizes of activations.

use std::fmt;

use crate::tensor::Shape;

/// Size of an input or output of a layer for one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// This many values in a row.
    Row(usize),
    /// A map, channels last on the device.
    Map {
        /// Rows of the map.
        height: usize,
        /// Columns of the map.
        width: usize,
        /// Values of each position.
        channels: usize,
    },
}

impl Size {
    /// Number of values; saturates, so that absurd sizes are too large and not small.
    pub fn values(self) -> usize {
        match self {
            Size::Row(values) => values,
            Size::Map { height, width, channels } => height.saturating_mul(width).saturating_mul(channels),
        }
    }

    /// Shape of a batch.
    pub fn batch(self, rows: usize) -> Shape {
        match self {
            Size::Row(values) => [rows, values].into(),
            Size::Map { height, width, channels } => [rows, height, width, channels].into(),
        }
    }
}

/// As PyTorch's users write it: channels first.
impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Size::Row(values) => write!(formatter, "{values}"),
            Size::Map { height, width, channels } => write!(formatter, "{channels}x{height}x{width}"),
        }
    }
}
