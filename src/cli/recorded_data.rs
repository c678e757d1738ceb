//! Loads the data set that a recorded run was trained on.

use std::path::PathBuf;

use crate::config::Key;
use crate::data::Dataset;
use crate::data::load::load as load_named;
use crate::data::locate::Search;
use crate::data::pictures::Wanted;
use crate::error::{Error, Result};
use crate::report::Record;

/// The place of the data set, if the user names one.
pub(super) struct Place {
    /// The name or folder of the data set, instead of the one in the run's configuration.
    pub(super) data: Option<String>,
    /// The folder to look for known data sets in.
    pub(super) data_dir: Option<PathBuf>,
}

/// Loads the data set of a run from `place`, else from the folder in which the run found it, else
/// from the place in its configuration.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) if the data set is missing or its contents differ.
pub(super) fn load(record: &Record, wanted: &Wanted, place: Place) -> Result<Dataset> {
    let facts = &record.facts;
    let configured = record.settings.text(Key::Data).map(String::from);
    let is_known = |name: &String| Search::from_environment(None).catalogue.find(name).is_some();
    let mut places = Vec::new();
    let Place { data, data_dir } = place;
    let is_free = data.is_none() && data_dir.is_none();
    if let (true, Some(folder)) = (is_free, &facts.data_files.folder) {
        places.push(match configured.clone().filter(is_known) {
            Some(name) => (name, Some(PathBuf::from(folder))),
            None => (folder.clone(), None),
        });
    }
    if let Some(name) = data.or(configured) {
        if let (true, Some(data_dir)) = (is_free, &facts.data_dir) {
            places.push((name.clone(), Some(data_dir.clone())));
        }
        places.push((name, data_dir));
    }
    let mut found = Err(Error::data("the run's configuration names none"));
    for (name, data_dir) in places {
        let loaded = load_named(&name, &Search::from_environment(data_dir), wanted);
        found = loaded.and_then(|dataset| {
            let dataset = dataset.as_recorded(facts.data_files.count);
            facts.data_files.check(&dataset.files)?;
            Ok(dataset)
        });
        if found.is_ok() {
            break;
        }
    }
    found
}
