//! Files that are there whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fs::disk::{Disk, RealDisk};

/// How the names of things begin that are about to get another name, or to go. What is left of them
/// was in the making when a process was killed.
pub(crate) const TEMPORARY: &str = ".saving-";

/// Writes `bytes` to `path`: first to a temporary file beside it, which then takes its name.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_on(&RealDisk, path, bytes).map_err(|cause| Error::io(format!("write {}", path.display()), &cause))
}

/// As [`write`], on that disk.
pub(crate) fn write_on(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    let written = disk
        .write(&temporary, bytes)
        .and_then(|()| disk.sync(&temporary))
        .and_then(|()| disk.rename(&temporary, path))
        .and_then(|()| disk.sync_folder(folder_of(path)));
    if written.is_err() {
        // What went wrong first is what counts; the next start looks for leftovers anyway.
        disk.remove(&temporary).ok();
    }
    written
}

/// The name that `path` has before it is whole.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    path.with_file_name(format!("{TEMPORARY}{}", name.to_string_lossy()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
