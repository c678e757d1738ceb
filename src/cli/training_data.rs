//! Loads the data set of a configuration, and describes the values that depend on it.

use std::path::{Path, PathBuf};

use super::output;
use crate::config::{Config, Key, Origin, Resolved, Setting, TrainingSet};
use crate::data::fetch::{FetchOptions, load_or_fetch};
use crate::data::{Catalogue, Search, Wanted};
use crate::data::{Dataset, ImageShape};
use crate::error::{Error, Result};
use crate::text::human;
use crate::train::Sizes;

/// Loads the data set, and downloads it first if necessary. Known sets are looked for only in
/// `data_dir`, if it is given. `progress` enables the progress display for reading many images.
pub(super) fn load(config: &Config, data_dir: Option<PathBuf>, progress: bool) -> Result<Dataset> {
    let wanted = Wanted { progress, ..config.pictures() };
    load_or_fetch(&config.data, &Search::from_environment(data_dir), &wanted, &FetchOptions::default())
}

/// Checks that the recorded data of a run still exist.
pub(super) fn check_recorded(data: &str) -> Result<()> {
    let path = Path::new(data);
    if Catalogue::built_in().find(data).is_some() || path.exists() {
        return Ok(());
    }
    // Older versions recorded relative paths.
    let relative =
        if path.is_absolute() { "" } else { ", relative to the folder in which the run was started" };
    Err(Error::data(format!("the data of the run no longer exist: {data}{relative}"))
        .advise("if they were moved, give their new place with --data DIR"))
}

/// Returns the training set of a run with this configuration.
pub(super) fn training_set(config: &Config, dataset: &Dataset) -> TrainingSet {
    let Sizes { train, shape, .. } = Sizes::of(config, dataset);
    TrainingSet { images: train, shape }
}

/// Returns a message about the preset that was chosen because of the data, if one was.
pub(super) fn chosen_preset(resolved: &Resolved) -> Option<String> {
    resolved.settings.get(Key::Preset).filter(|setting| is_auto(setting))?;
    let preset = &resolved.config.preset;
    // The path as the user wrote it: the configuration of a run has an absolute path.
    let data = resolved.settings.text(Key::Data)?;
    Some(format!("{data} is a folder of images: preset {preset}, a small convolutional network"))
}

fn is_auto(setting: &Setting) -> bool {
    matches!(setting.origin, Origin::Auto(_))
}

/// Prints which preset was chosen, and which values were derived from the training images, if any.
pub(super) fn print_choice(resolved: &Resolved, set: &TrainingSet) {
    let mut said = Vec::from_iter(chosen_preset(resolved));
    // The model is not listed, because it is shown above the table.
    let values: Vec<String> = [Key::Epochs, Key::BatchSize, Key::Crop]
        .into_iter()
        .filter_map(|key| Some((key, resolved.settings.get(key).filter(|setting| is_auto(setting))?)))
        .map(|(key, setting)| format!("{} {}", key.name(), setting.value))
        .collect();
    if !values.is_empty() {
        let (values, images) = (values.join(", "), human::count(set.images as u64));
        let ImageShape { height, width, .. } = set.shape;
        said.push(format!("{values} for {images} training images of {width}x{height}"));
    }
    if let Some(setting) = resolved.settings.get(Key::ClipNorm)
        && let Origin::Auto(reason) = &setting.origin
    {
        said.push(format!("clip-norm {}: {reason}", setting.value));
    }
    if !said.is_empty() {
        output::print_note(&format!("note: {}\n", said.join("; ")));
    }
}
