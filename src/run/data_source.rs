//! What a model was trained on, as its run has recorded it.

use std::path::{Path, PathBuf};

use super::record::Record;
use super::{changes, checkpoint};
use crate::checkpoint::weights_of;
use crate::config::{ConfigFile, Key, Setting, Value};
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// A data set, and where it is found.
#[derive(Clone, Debug)]
pub struct DataSource {
    /// A known data set's name or a folder.
    pub data: String,
    /// Where known data sets are looked for, if the run says so.
    pub data_dir: Option<PathBuf>,
    /// The run's record, which says what the files must be like.
    pub record: Option<Record>,
    /// The share of the training images that the run held out for validation, and the seed that
    /// chose them; nothing where it held out none.
    pub held_out: Option<(f32, u64)>,
}

impl DataSource {
    /// The data of the run or the checkpoint in `folder`.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) where the folder is neither.
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
                Some(Setting { value: Value::Number(share), .. }),
                Some(Setting { value: Value::Whole(seed), .. }),
            ) => Some((*share, *seed)).filter(|(share, _)| *share > 0.0),
            _ => None,
        };
        match settings.text(Key::Data) {
            Some(data) => {
                let data_dir = record.as_ref().and_then(Record::data_place);
                Ok(DataSource { data: data.into(), data_dir, record, held_out })
            }
            _ => Err(Error::model(format!("{} does not say what it was trained on", folder.display()))
                .advise(Remedy::settings("name a data set or a folder with {}", [("data", "")]))),
        }
    }
}
