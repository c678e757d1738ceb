//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Writes `bytes` to `path`: first to a temporary file beside it, which then takes its name.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |cause: &std::io::Error| Error::io(format!("write {}", path.display()), cause);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = temporary_in(folder).map_err(|cause| failed(&cause))?;
    file.write_all(bytes).map_err(|cause| failed(&cause))?;
    file.as_file().sync_all().map_err(|cause| failed(&cause))?;
    file.persist(path).map_err(|cause| failed(&cause.error))?;
    sync_folder(folder).map_err(|cause| failed(&cause))
}

/// A new file that others may read, unless the user's umask says otherwise: temporary files are usually
/// for their owner alone.
#[cfg(unix)]
fn temporary_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(0o666);
    tempfile::Builder::new().permissions(permissions).tempfile_in(folder)
}

#[cfg(not(unix))]
fn temporary_in(folder: &Path) -> std::io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder)
}

/// Makes a new name in a folder outlast a power cut, where the system can.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
