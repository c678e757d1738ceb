//! Downloads or imports the files of a known data set, and always verifies them.
//!
//! A file is written under a temporary name in the same folder, checked against the catalogue,
//! flushed to the disk and then renamed. A file with its final name is therefore complete and
//! official. An interrupted download keeps its `.part` file and is resumed the next time.
//!
//! ```no_run
//! use shadegrad::data::fetch::{FetchOptions, load_or_fetch};
//! use shadegrad::data::locate::Search;
//! use shadegrad::data::pictures::Wanted;
//!
//! let search = Search::from_environment(None);
//! let dataset = load_or_fetch("cifar10", &search, &Wanted::default(), &FetchOptions::default())?;
//! # Ok::<(), shadegrad::Error>(())
//! ```

mod import;
mod options;
mod staged;
mod transfer;

pub use import::import;
pub use options::FetchOptions;

use super::catalogue::{KnownFile, KnownSet};
use super::load::load;
use super::locate::Search;
use super::pictures::Wanted;
use super::verify::check;
use super::{Dataset, locate};
use crate::remedy::Remedy;
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use staged::{FolderLock, Staged};
use std::path::{Path, PathBuf};
use transfer::{Failure, Transfer};

/// Where a file came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It already existed and is the official one.
    AlreadyThere,
    /// It was downloaded from a mirror.
    Downloaded,
    /// It was copied from a file on this machine.
    Imported,
}

/// A file in its final place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedFile {
    /// Its path.
    pub path: PathBuf,
    /// Where it came from.
    pub origin: Origin,
}

/// Downloads the files of `set` that are not yet in `folder`, and verifies all of them.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) if no mirror provided the official file; the message
/// gives a reason for each mirror. [`ErrorKind::Io`](crate::ErrorKind::Io) if the disk fails or
/// another process is writing to `folder`.
pub fn fetch(set: &KnownSet, folder: &Path, options: &FetchOptions) -> Result<Vec<FetchedFile>> {
    let _lock = FolderLock::take(folder)?;
    let fetch_one = |file| match existing(file, folder)? {
        Existing::Official(path) => Ok(FetchedFile { path, origin: Origin::AlreadyThere }),
        Existing::Wrong(old) => download(set, file, folder, options, Some(&old)),
        Existing::Missing => download(set, file, folder, options, None),
    };
    set.files.iter().map(fetch_one).collect()
}

/// Loads a data set like [`load`]. A known set that is not on this machine is first downloaded into
/// the user's cache, unless `search` is restricted to a data folder.
///
/// # Errors
/// As [`load`] and [`fetch`].
pub fn load_or_fetch(
    name: &str,
    search: &Search,
    wanted: &Wanted,
    options: &FetchOptions,
) -> Result<Dataset> {
    if let Some(set) = search.catalogue.find(name)
        && search.data_dir.is_none()
        && search.locate(set)?.is_none()
    {
        fetch(set, &search.download_folder(set)?, options)?;
    }
    load(name, search, wanted)
}

/// The state of a file in its final place.
enum Existing {
    Official(PathBuf),
    Wrong(PathBuf),
    Missing,
}

fn existing(file: &KnownFile, folder: &Path) -> Result<Existing> {
    let stem = file.name.strip_suffix(".gz").unwrap_or(&file.name);
    let Some(path) = locate::packed_or_plain(folder, stem)? else {
        return Ok(Existing::Missing);
    };
    Ok(match check(&path, file)? {
        Ok(()) => Existing::Official(path),
        Err(_) => Existing::Wrong(path),
    })
}

/// Tries one mirror after the other. `replaces` is a wrong file to remove once the official one is
/// in place.
fn download(
    set: &KnownSet,
    file: &KnownFile,
    folder: &Path,
    options: &FetchOptions,
    replaces: Option<&Path>,
) -> Result<FetchedFile> {
    let mut staged = Staged::open(folder, &file.name, "part")?;
    let transfer = Transfer::new(file, options, progress_bar(file, options));
    let mut reasons = Vec::new();
    for mirror in &file.mirrors {
        match from_mirror(&transfer, mirror, &mut staged, options) {
            Ok(()) => {
                let path = staged.publish(file, replaces)?;
                return Ok(FetchedFile { path, origin: Origin::Downloaded });
            }
            Err(Failure::Fatal(error)) => return Err(error),
            Err(Failure::Again(reason) | Failure::NextMirror(reason)) => {
                reasons.push(format!("{mirror}: {reason}"));
            }
        }
    }
    staged.discard_if_empty()?;
    let first = file.mirrors.first().map_or("a mirror", String::as_str);
    Err(Error::data(format!("cannot download {}: {}", file.name, reasons.join("; ")))
        .advise(Remedy::ImportData { url: first.into(), name: set.name.clone() }))
}

/// Tries one mirror until it provides the official file or another attempt is not worthwhile.
fn from_mirror(
    transfer: &Transfer<'_>,
    mirror: &str,
    staged: &mut Staged,
    options: &FetchOptions,
) -> Result<(), Failure> {
    let mut failures = 0;
    let mut longest = staged.length();
    loop {
        let reason = match transfer.attempt(mirror, staged) {
            Err(Failure::Again(reason)) => reason,
            done => return done,
        };
        if staged.length() > longest {
            longest = staged.length();
            failures = 0;
        }
        failures += 1;
        if failures >= options.attempts {
            return Err(Failure::Again(format!("{reason} (tried {failures} times)")));
        }
        log::info!("{mirror}: {reason}; trying again");
        let doublings = (failures - 1).min(10);
        std::thread::sleep(options.back_off.saturating_mul(1 << doublings));
    }
}

fn progress_bar(file: &KnownFile, options: &FetchOptions) -> ProgressBar {
    if !options.progress {
        return ProgressBar::hidden();
    }
    let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    // The bar is drawn on stderr, and only on a terminal.
    ProgressBar::new(0)
        .with_style(style)
        .with_message(file.name.clone())
        .with_finish(ProgressFinish::AndClear)
}
