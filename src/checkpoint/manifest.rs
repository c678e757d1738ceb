//! `SHA256SUMS`: the files of a folder and their hashes, in the format of `sha256sum`.
//!
//! A folder is intact if its manifest is exactly the one that its files give. A change of any bit
//! is therefore detected, also in the manifest itself.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path};

use crate::data::hash::Hasher;
use crate::error::Error;

pub(crate) const NAME: &str = "SHA256SUMS";

/// Maximum sizes in bytes of a manifest and of a file. They are far above any checkpoint.
const MOST_MANIFEST: u64 = 1 << 16;
const MOST_BYTES: u64 = 16 << 30;

/// The contents of a folder's files, by name.
pub(crate) type Contents = BTreeMap<String, Vec<u8>>;

pub(crate) fn render(files: &Contents) -> String {
    let line = |(name, bytes): (&String, &Vec<u8>)| {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        format!("{}  {name}\n", hasher.finish().sha256)
    };
    files.iter().map(line).collect()
}

/// Reads the files that a folder's manifest lists. If they do not match it, the error says how.
pub(crate) fn read(folder: &Path) -> Result<Contents, String> {
    let manifest = read_file(folder, NAME, MOST_MANIFEST)?;
    let text = std::str::from_utf8(&manifest).map_err(|_| format!("{NAME} is damaged"))?;
    let mut files = Contents::new();
    for line in text.lines() {
        let (_, name) = line.split_once("  ").ok_or_else(|| format!("{NAME} is damaged"))?;
        if !is_plain(name) {
            return Err(format!("{NAME} is damaged"));
        }
        files.insert(name.into(), read_file(folder, name, MOST_BYTES)?);
    }
    let found = render(&files);
    if found == text {
        return Ok(files);
    }
    let differing = found.lines().zip(text.lines()).find(|(found, listed)| found != listed);
    let name = differing.and_then(|(found, _)| found.split_once("  ")).map_or(NAME, |(_, name)| name);
    Err(format!("{name} has changed since it was saved"))
}

/// Returns the error for a folder that does not match its manifest. `what` says how.
pub(crate) fn damaged(folder: &Path, what: String) -> Error {
    Error::model(format!("{} is damaged: {what}", folder.display()))
        .advise("use another checkpoint of the run")
}

fn read_file(folder: &Path, name: &str, most: u64) -> Result<Vec<u8>, String> {
    let failed = |cause: std::io::Error| match cause.kind() {
        std::io::ErrorKind::NotFound => format!("it has no {name}"),
        _ => format!("{name} cannot be read: {cause}"),
    };
    let file = std::fs::File::open(folder.join(name)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(format!("{name} has more than {most} bytes"));
    }
    Ok(bytes)
}

/// Whether `name` is a file directly in the folder.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && name != NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_of(files: &Contents) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).expect("it is writable");
        }
        std::fs::write(folder.path().join(NAME), render(files)).expect("it is writable");
        folder
    }

    #[test]
    fn manifests_are_those_of_sha256sum() {
        let files = Contents::from([("abc".into(), b"abc".to_vec())]);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc\n";
        assert_eq!(render(&files), abc);
        assert_eq!(read(folder_of(&files).path()), Ok(files));
    }

    #[test]
    fn names_that_lead_elsewhere_are_not_followed() {
        for name in ["../x", "/etc/passwd", "a/b", ".", "..", "", NAME] {
            assert!(!is_plain(name), "{name:?}");
        }
        assert!(is_plain("state.json"));
    }
}
