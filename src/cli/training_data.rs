//! The data set that a configuration names.

use std::path::PathBuf;

use crate::config::Config;
use crate::data::Dataset;
use crate::data::fetch::{FetchOptions, load_or_fetch};
use crate::data::locate::Search;
use crate::data::pictures::Wanted;
use crate::error::Result;

/// Loads it, or fetches it first; known sets are looked for in `data_dir` only, if there is one. `progress` says whether
/// the reading of many pictures shows how far it is.
pub(super) fn load(config: &Config, data_dir: Option<PathBuf>, progress: bool) -> Result<Dataset> {
    let wanted = Wanted { progress, ..config.pictures() };
    load_or_fetch(&config.data, &Search::from_environment(data_dir), &wanted, &FetchOptions::default())
}
