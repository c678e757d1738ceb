//! The data set that a model was trained on, as recorded by its run.

use std::path::{Path, PathBuf};

use super::record::Record;
use super::{changes, checkpoint};
use crate::checkpoint::weights_of;
use crate::config::{ConfigFile, Key, Setting, Value};
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// A data set and its location.
#[derive(Clone, Debug)]
pub struct DataSource {
    /// Name of a known data set, or a folder.
    pub data: String,
    /// The folder of known data sets, if the run recorded one.
    pub data_dir: Option<PathBuf>,
    /// The record of the run, with which the files must agree.
    pub record: Option<Record>,
    /// The fraction of the training images that the run held out for validation, and the seed that
    /// selected them. `None` if it held out none.
    pub held_out: Option<(f32, u64)>,
}

impl DataSource {
    /// Returns the data of the run or checkpoint in `folder`.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) if the folder is neither.
    pub fn of(folder: &Path) -> Result<Self> {
        let weights = weights_of(folder)?;
        let weights = std::path::absolute(&weights).unwrap_or(weights);
        let saved = weights.parent().unwrap_or(folder);
        // A checkpoint that was copied out of its run has no record.
        let run = saved.parent().and_then(Path::parent);
        let record = run.and_then(|run| Record::read(run).ok());
        let settings = ConfigFile::read(&saved.join(checkpoint::CONFIG))?.settings;
        let changes = record.as_ref().map_or(&[][..], |record| &record.changes);
        let settings = changes::apply(changes, settings)?;
        let held_out = match (settings.get(Key::Validation), settings.get(Key::Seed)) {
            (
                Some(Setting { value: Value::Number(fraction), .. }),
                Some(Setting { value: Value::Whole(seed), .. }),
            ) => Some((*fraction, *seed)).filter(|(fraction, _)| *fraction > 0.0),
            _ => None,
        };
        match settings.text(Key::Data) {
            Some(data) => {
                let data_dir = record.as_ref().and_then(Record::search_folder);
                Ok(DataSource { data: data.into(), data_dir, record, held_out })
            }
            _ => Err(Error::model(format!("{} does not say what it was trained on", folder.display()))
                .advise(Remedy::settings("name a data set or a folder with {}", [("data", "")]))),
        }
    }
}
