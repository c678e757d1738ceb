//! Limits of model sizes. They are far beyond practical sizes, so that a typo causes an error
//! message and not a huge allocation.

/// Maximum number of output values of a layer for one image, and of outputs or filters of a layer.
pub(in crate::nn) const MOST_OUTPUTS: usize = 1 << 20;

pub(in crate::nn) const MOST_LAYERS: usize = 1000;

/// Maximum number of values of a tensor.
pub(in crate::nn) const MOST_VALUES: usize = 1 << 28;
