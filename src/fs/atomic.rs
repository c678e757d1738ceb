//! Atomic writes: a file is either complete or absent.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fs::disk::{Disk, RealDisk};

/// Prefix of temporary names. If a process is killed, files and folders with this prefix may be
/// left over.
pub(crate) const TEMPORARY: &str = ".saving-";

/// Writes `bytes` to `path` atomically: to a temporary file in the same folder, which is then
/// renamed.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be written.
///
/// ```
/// let path = std::env::temp_dir().join("shadegrad-atomic-write");
/// shadegrad::fs::atomic::write(&path, b"complete")?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"complete");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), shadegrad::Error>(())
/// ```
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_on(&RealDisk, path, bytes).map_err(|cause| Error::io(format!("write {}", path.display()), &cause))
}

/// Like [`write`], on the given disk.
pub(crate) fn write_on(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    let written = disk
        .write(&temporary, bytes)
        .and_then(|()| disk.sync(&temporary))
        .and_then(|()| disk.rename(&temporary, path))
        .and_then(|()| disk.sync_folder(folder_of(path)));
    if written.is_err() {
        // The first error is the one to report. The next start removes leftovers.
        disk.remove(&temporary).ok();
    }
    written
}

pub(crate) fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    path.with_file_name(format!("{TEMPORARY}{}", name.to_string_lossy()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
