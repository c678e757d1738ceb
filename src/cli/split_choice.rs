//! What `--split` names.

use clap::ValueEnum;

use crate::data::Split;

/// One half of a data set, or both.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum WhichSplit {
    Test,
    Train,
    All,
}

impl WhichSplit {
    /// Its name, and what is meant of these two.
    pub(super) fn of(self, mut train: Split, mut test: Split) -> (&'static str, Split) {
        match self {
            WhichSplit::All => {
                train.images.append(&mut test.images);
                train.labels.append(&mut test.labels);
                ("all", train)
            }
            WhichSplit::Test => ("test", test),
            WhichSplit::Train => ("train", train),
        }
    }
}
