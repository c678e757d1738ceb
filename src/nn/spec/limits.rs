//! How large a model may be: far beyond use, so that a slip of the keyboard is an error message
//! and not an attempt to allocate.

/// Most values of one layer's output for one image, and most outputs or filters of a layer.
pub(in crate::nn) const MOST_OUTPUTS: usize = 1 << 20;

/// Most layers.
pub(in crate::nn) const MOST_LAYERS: usize = 1000;

/// Most values of one tensor.
pub(in crate::nn) const MOST_VALUES: usize = 1 << 28;
