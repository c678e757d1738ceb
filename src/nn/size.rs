//! What a layer takes or hands on for one image.

use std::fmt;

use crate::tensor::Shape;

/// Sizes of what a layer takes or hands on for one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many values in a row.
    Row(usize),
    /// A map, channels last on the device.
    Map {
        /// Cells from top to bottom.
        height: usize,
        /// Cells from left to right.
        width: usize,
        /// Values of a cell.
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
