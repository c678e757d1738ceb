//! The values of `--tta`: the views of an image whose predictions are averaged.

use clap::ValueEnum;
use serde::Serialize;

use crate::train::Views;

/// [`Views`] for clap.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TtaName {
    /// Only the image itself
    None,
    /// Also its mirror image
    Mirror,
    /// Also both shifted by one pixel along the diagonal: six views
    MirrorShifts,
}

impl From<TtaName> for Views {
    fn from(name: TtaName) -> Views {
        match name {
            TtaName::None => Views::One,
            TtaName::Mirror => Views::Mirror,
            TtaName::MirrorShifts => Views::MirrorShifts,
        }
    }
}
