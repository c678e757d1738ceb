//! The kinds of pooling.

use crate::text::named::named;

named! {
    /// The function that reduces the values of a window to one value.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum PoolKind {
        /// The maximum: PyTorch's `nn.MaxPool2d`.
        Max = "maxpool",
        /// The mean, with padding counted as zeros: PyTorch's `nn.AvgPool2d`.
        Average = "avgpool",
    }
}

impl PoolKind {
    /// Returns the name of the global pooling layer, as in the text of a model.
    pub(super) fn global_name(self) -> &'static str {
        match self {
            PoolKind::Max => "globalmaxpool",
            PoolKind::Average => "globalavgpool",
        }
    }
}
