//! Copies a data set's files from a local path, with the same checks as a download.

use super::staged::{FolderLock, Staged};
use super::{Existing, FetchedFile, Origin, existing};
use crate::data::catalogue::{KnownFile, KnownSet};
use crate::data::locate::packed_or_plain;
use crate::data::source::{open_regular, unlike};
use crate::data::verify::check;
use crate::remedy::Remedy;
use crate::{Error, Result};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Size of the copy buffer in bytes.
const COPY_BUFFER: usize = 256 * 1024;

/// Copies official files of `set` from `from` into `folder`. If `from` is a folder, it must contain
/// all files that `folder` does not have yet. A single file is recognised by its contents, whatever
/// its name.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) if a file is missing or not the official one,
/// [`ErrorKind::Io`](crate::ErrorKind::Io) if reading or writing fails.
pub fn import(set: &KnownSet, from: &Path, folder: &Path) -> Result<Vec<FetchedFile>> {
    let _lock = FolderLock::take(folder)?;
    if !from.is_dir() {
        let file = recognise(set, from)?;
        return Ok(vec![copy(file, from, folder)?]);
    }
    let import_one = |file: &KnownFile| match (find(file, set, from)?, existing(file, folder)?) {
        (_, Existing::Official(path)) => Ok(FetchedFile { path, origin: Origin::AlreadyThere }),
        (Some(source), _) => copy(file, &source, folder),
        (None, _) => {
            Err(Error::data(format!("{}: found no {}, which {} needs", from.display(), file.name, set.name))
                .advise(Remedy::settings(
                    "to use unpacked or modified files as they are, name their folder with {}",
                    [("data-dir", "")],
                )))
        }
    };
    set.files.iter().map(import_one).collect()
}

/// Finds the file in `from`, or in its sub-folder with the set's name.
fn find(file: &KnownFile, set: &KnownSet, from: &Path) -> Result<Option<PathBuf>> {
    let stem = file.name.strip_suffix(".gz").unwrap_or(&file.name);
    match packed_or_plain(from, stem)? {
        Some(path) => Ok(Some(path)),
        None => packed_or_plain(&from.join(&set.name), stem),
    }
}

/// Returns the file of `set` that the one at `path` is.
fn recognise<'a>(set: &'a KnownSet, path: &Path) -> Result<&'a KnownFile> {
    let mut reasons = Vec::new();
    for file in &set.files {
        match check(path, file)? {
            Ok(()) => return Ok(file),
            Err(reason) => reasons.push(format!("as {}: {reason}", file.name)),
        }
    }
    let found = format_args!("no official file ({})", reasons.join("; "));
    let expected = format_args!("a file of {}", set.name);
    Err(unlike(path.display(), found, expected))
}

/// Copies the file before checking it, so that the checked bytes are the ones that are kept.
fn copy(file: &KnownFile, source: &Path, folder: &Path) -> Result<FetchedFile> {
    let mut staged = Staged::open(folder, &file.name, "import")?;
    staged.discard()?;
    let checked = copy_bytes(source, &mut staged).and_then(|()| check(staged.path(), file));
    let reason = match checked {
        Ok(Ok(())) => {
            let replaced = match existing(file, folder)? {
                Existing::Wrong(old) => Some(old),
                Existing::Official(_) | Existing::Missing => None,
            };
            let path = staged.publish(file, replaced.as_deref())?;
            return Ok(FetchedFile { path, origin: Origin::Imported });
        }
        Ok(Err(reason)) => Error::data(format!("{}: {reason}", source.display())),
        Err(error) => error,
    };
    staged.remove()?;
    Err(reason)
}

fn copy_bytes(source: &Path, staged: &mut Staged) -> Result<()> {
    let (mut reader, _) = open_regular(source)?;
    let mut buffer = vec![0; COPY_BUFFER];
    loop {
        let read = (reader.read(&mut buffer))
            .map_err(|cause| Error::io(format_args!("read {}", source.display()), &cause))?;
        if read == 0 {
            return Ok(());
        }
        staged.append(&buffer[..read])?;
    }
}
