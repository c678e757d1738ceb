//! What `--split` names.

use clap::ValueEnum;

use crate::data::{Dataset, Split};
use crate::error::{Error, Result};

/// One part of a data set, or all of it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum WhichSplit {
    Train,
    Validation,
    Test,
    All,
}

impl WhichSplit {
    /// Its name, and its images, which are taken out of the data set.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) where validation images are asked for and there
    /// are none.
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
        .advise("name another split; a folder of pictures has them in val/, if it has a test/ as well")
}
