//! The size of activations for one image.

use std::fmt;

use crate::tensor::Shape;

/// The size of a layer's input or output for one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A row with this number of values.
    Row(usize),
    /// A map. On the device, channels come last.
    Map {
        /// Number of rows.
        height: usize,
        /// Number of columns.
        width: usize,
        /// Number of values at each position.
        channels: usize,
    },
}

impl Size {
    /// Returns the number of values. It saturates, so that an overflow is not a small number.
    pub fn values(self) -> usize {
        match self {
            Size::Row(values) => values,
            Size::Map { height, width, channels } => height.saturating_mul(width).saturating_mul(channels),
        }
    }

    /// Returns the shape of a batch.
    pub fn batch(self, rows: usize) -> Shape {
        match self {
            Size::Row(values) => [rows, values].into(),
            Size::Map { height, width, channels } => [rows, height, width, channels].into(),
        }
    }
}

/// Formats the size with channels first, as in PyTorch.
impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Size::Row(values) => write!(formatter, "{values}"),
            Size::Map { height, width, channels } => write!(formatter, "{channels}x{height}x{width}"),
        }
    }
}
