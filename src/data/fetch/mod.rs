//! Getting a known data set's files: from mirrors or from files the user has, never unchecked.
//!
//! A file is built under another name beside its place, checked against the catalogue, flushed to
//! the disk and only then renamed, so what has its final name is whole and official. An interrupted
//! download keeps its `.part` file and goes on from there the next time.

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

/// How a file came to be where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was there before, and official.
    AlreadyThere,
    /// It came from a mirror.
    Downloaded,
    /// It came from a file on this machine.
    Imported,
}

/// A file that is now in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it came there.
    pub origin: Origin,
}

/// Downloads the files of `set` that are not yet in `folder`, and checks all of them.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) where no mirror gave the official file: the message
/// has a reason for each mirror. [`ErrorKind::Io`](crate::ErrorKind::Io) where the disk fails or
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

/// Loads a data set as [`load`] does; a known set that is nowhere on this machine is downloaded into
/// the user's cache first. Nothing is downloaded if `search` has a folder to look in only.
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

/// What is in the place of a file.
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

/// Tries one mirror after the other. `replaces` is a wrong file that must go once the right one is
/// there.
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

/// Tries one mirror until it gives the official file, or is not worth another attempt.
fn from_mirror(
    transfer: &Transfer,
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
    // Draws on stderr, and nothing at all where that is no terminal.
    ProgressBar::new(0)
        .with_style(style)
        .with_message(file.name.clone())
        .with_finish(ProgressFinish::AndClear)
}
