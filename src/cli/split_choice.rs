//! The values of `--split`.

use clap::ValueEnum;

use crate::data::{Dataset, Split};
use crate::error::{Error, Result};

/// One split of a data set, or all of it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum WhichSplit {
    Train,
    Validation,
    Test,
    All,
}

impl WhichSplit {
    /// Takes the images out of the data set, and returns them with the name of the split.
    pub(super) fn of(self, dataset: &mut Dataset) -> Result<(&'static str, Split)> {
        let validation = dataset.validation.take();
        let [mut train, test] = [&mut dataset.train, &mut dataset.test].map(std::mem::take);
        match self {
            WhichSplit::Train => Ok(("train", train)),
            WhichSplit::Validation => {
                let split = validation.ok_or_else(|| none(&dataset.name))?;
                Ok(("validation", split))
            }
            WhichSplit::Test => Ok(("test", test)),
            WhichSplit::All => {
                for mut split in validation.into_iter().chain([test]) {
                    train.images.append(&mut split.images);
                    train.labels.append(&mut split.labels);
                    train.files.append(&mut split.files);
                }
                Ok(("all", train))
            }
        }
    }
}

fn none(name: &str) -> Error {
    Error::data(format!("{name} has no validation images"))
        .advise("choose another split; a folder of images has them in val/, if it also has a test/")
}
