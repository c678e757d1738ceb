//! How large a model may be.

/// Most values that one layer may hand on for one image, and most layers: far beyond use, so that
/// a slip of the keyboard is an error message and not an attempt to allocate.
pub(in crate::nn) const MOST_OUTPUTS: usize = 1 << 20;
pub(in crate::nn) const MOST_LAYERS: usize = 1000;

/// Most values of one tensor.
pub(in crate::nn) const MOST_VALUES: usize = 1 << 28;
