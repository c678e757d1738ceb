//! `--tta`: which views of an image are averaged.

use clap::ValueEnum;
use serde::Serialize;

use crate::train::Views;

/// [`Views`] by their names on the command line.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TtaName {
    /// The image as it is
    None,
    /// And its mirror image
    Mirror,
    /// And both shifted by a pixel along the diagonal: six views
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
