//! The kinds of pooling.

/// The function that reduces the values of a window to one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The maximum: PyTorch's `nn.MaxPool2d`.
    Max,
    /// The mean, with padding counted as zeros: PyTorch's `nn.AvgPool2d`.
    Average,
}

impl PoolKind {
    /// All kinds.
    pub const ALL: &[PoolKind] = &[PoolKind::Max, PoolKind::Average];

    /// Returns the name of the pooling layer with a window, as in the text of a model.
    pub(super) fn name(self) -> &'static str {
        match self {
            PoolKind::Max => "maxpool",
            PoolKind::Average => "avgpool",
        }
    }

    /// Returns the name of the global pooling layer, as in the text of a model.
    pub(super) fn global_name(self) -> &'static str {
        match self {
            PoolKind::Max => "globalmaxpool",
            PoolKind::Average => "globalavgpool",
        }
    }
}
