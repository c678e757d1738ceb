//! The data set that a configuration names.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::data::Dataset;
use crate::data::catalogue::Catalogue;
use crate::data::fetch::{FetchOptions, load_or_fetch};
use crate::data::locate::Search;
use crate::data::pictures::Wanted;
use crate::error::{Error, Result};

/// Loads it, or fetches it first; known sets are looked for in `data_dir` only, if there is one. `progress` says whether
/// the reading of many pictures shows how far it is.
pub(super) fn load(config: &Config, data_dir: Option<PathBuf>, progress: bool) -> Result<Dataset> {
    let wanted = Wanted { progress, ..config.pictures() };
    load_or_fetch(&config.data, &Search::from_environment(data_dir), &wanted, &FetchOptions::default())
}

/// Looks whether the data that a run has recorded are still there.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) where a folder has gone.
pub(super) fn check_recorded(data: &str) -> Result<()> {
    let path = Path::new(data);
    if Catalogue::built_in().find(data).is_some() || path.exists() {
        return Ok(());
    }
    // Older versions recorded paths as they were given.
    let relative = if path.is_absolute() { "" } else { ", seen from the folder that the run was started in" };
    Err(Error::data(format!("the data of the run are not there any more: {data}{relative}"))
        .advise("if they were moved, name their new place with --data DIR"))
}
