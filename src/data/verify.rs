//! Verification that the files of a data set are the official ones, byte by byte.
//!
//! ```no_run
//! use shadegrad::data::locate::Search;
//! use shadegrad::data::verify::verify;
//!
//! let search = Search::from_environment(None);
//! let set = search.catalogue.find("mnist").expect("it is a known data set");
//! let reports = verify(set, &search.require(set)?)?;
//! assert!(reports.iter().all(|report| report.fault.is_none()));
//! # Ok::<(), shadegrad::Error>(())
//! ```

use super::archive::Archive;
use super::catalogue::{Form, KnownFile, KnownSet};
use super::cifar::Cifar;
use super::hash::{Hasher, fingerprint};
use super::locate::Files;
use super::source::open_regular;
use crate::{ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Size of the hash buffer in bytes.
const HASH_BUFFER: usize = 256 * 1024;

/// The result for one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// Path of the file.
    pub path: PathBuf,
    /// Why it is not the official file, or `None` if it is.
    pub fault: Option<String>,
}

/// Hashes every file of `set` and compares it with the catalogue.
///
/// An archive that was repacked but contains the official files passes as well. A file that is not
/// official may still be usable for training, for example with the images in another order. Loading
/// it decides that.
///
/// # Errors
/// [`ErrorKind::Io`] if a file cannot be read. A wrong or damaged file is not an error but part of
/// the report.
pub fn verify(set: &KnownSet, files: &Files) -> Result<Vec<FileReport>> {
    match files {
        Files::Idx(paths) => (paths.iter().zip(&set.files))
            .map(|(path, file)| Ok(report(path.clone(), check(path, file)?)))
            .collect(),
        Files::CifarArchive(cifar, path) => {
            let mut found = match set.files.first() {
                Some(file) => check(path, file)?,
                None => Err("the catalogue has no archive".to_owned()),
            };
            if let Err(fault) = found {
                found = match members_fault(set, cifar, path) {
                    Ok(None) => Ok(()),
                    Ok(Some(member)) => Err(format!("{fault}; {member}")),
                    Err(error) if error.kind() == ErrorKind::Data => Err(error.to_string()),
                    Err(error) => return Err(error),
                };
            }
            Ok(vec![report(path.clone(), found)])
        }
        Files::CifarFolder(_, folder) => (set.members.iter())
            .map(|(name, sha256)| {
                let path = folder.join(name);
                let found = fingerprint(&path, Form::AsIs)?.sha256;
                Ok(report(path, compare(&found, sha256)))
            })
            .collect(),
    }
}

/// Compares size and SHA-256 with the catalogue. The inner error states what was found and
/// expected.
pub(crate) fn check(path: &Path, known: &KnownFile) -> Result<Result<(), String>> {
    let expected = format!("{} bytes, SHA-256 {}", known.bytes, known.sha256);
    let (_, size) = open_regular(path)?;
    if known.form == Form::AsIs && size != known.bytes {
        return Ok(Err(format!("found {size} bytes, expected {expected}")));
    }
    let found = match fingerprint(path, known.form) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::Data => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    if found.bytes == known.bytes && found.sha256 == known.sha256 {
        return Ok(Ok(()));
    }
    let content = match known.form {
        Form::AsIs => "",
        Form::Decompressed => " of content",
    };
    Ok(Err(format!("found {} bytes{content}, SHA-256 {}, expected {expected}", found.bytes, found.sha256)))
}

fn report(path: PathBuf, found: Result<(), String>) -> FileReport {
    let fault = found.err();
    FileReport { path, fault }
}

fn compare(found: &str, expected: &str) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("found SHA-256 {found}, expected {expected}"))
}

/// Returns what is wrong with the first faulty image file in an archive that is not the official
/// one.
fn members_fault(set: &KnownSet, cifar: &Cifar, path: &Path) -> Result<Option<String>> {
    let mut archive = Archive::open(path)?;
    let mut fault = None;
    let mut buffer = vec![0; HASH_BUFFER];
    let mut missing: Vec<&(String, String)> = set.members.iter().collect();
    while let Some(member) = archive.next_member()? {
        let name = cifar.file_of(&member);
        let Some(index) = missing.iter().position(|known| Some(known.0.as_str()) == name) else {
            continue;
        };
        let (name, expected) = missing.remove(index);
        let mut hasher = Hasher::default();
        let mut left = member.size;
        while left > 0 {
            let piece = &mut buffer[..left.min(HASH_BUFFER as u64) as usize];
            archive.read_exactly(piece, name)?;
            hasher.update(piece);
            left -= piece.len() as u64;
        }
        if let Err(reason) = compare(&hasher.finish().sha256, expected) {
            fault.get_or_insert(format!("in it {name}: {reason}"));
        }
    }
    let gone = missing.first().map(|(name, _)| format!("in it no {name}"));
    Ok(fault.or(gone))
}
