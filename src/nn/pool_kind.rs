//! The kinds of pools.

/// How the values of a window become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// Their maximum: PyTorch's `nn.MaxPool2d`.
    Max,
    /// Their mean, padding counted as zeros: PyTorch's `nn.AvgPool2d`.
    Average,
}

impl PoolKind {
    /// All of them.
    pub const ALL: &[PoolKind] = &[PoolKind::Max, PoolKind::Average];

    /// The name in a model's text of a pool with a window.
    pub(super) fn name(self) -> &'static str {
        match self {
            PoolKind::Max => "maxpool",
            PoolKind::Average => "avgpool",
        }
    }

    /// The name in a model's text of a pool over whole maps.
    pub(super) fn global_name(self) -> &'static str {
        match self {
            PoolKind::Max => "globalmaxpool",
            PoolKind::Average => "globalavgpool",
        }
    }
}
