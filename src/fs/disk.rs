//! The disk operations of a run, and the errors when they fail.

use std::fmt::{Debug, Display};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::error::Error;
use crate::failpoint;
use crate::remedy::Remedy;

/// The operations that saving a run uses. [`RealDisk`] implements them. Tests wrap it to make each
/// operation fail in turn, or to kill the process after it.
///
/// # Errors
/// Each operation returns the error of the system if it fails.
#[expect(clippy::missing_errors_doc, reason = "all fail alike, as the trait says")]
pub trait Disk: Debug {
    /// Creates a folder that does not exist yet.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Writes a file, replacing an existing one.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Appends to a file, creating it if it does not exist.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Flushes a file's contents, so that they survive a power failure.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Flushes the names in a folder, so that they survive a power failure, if the system supports
    /// it.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Renames a file or a folder. A file atomically replaces an existing one; a folder does not.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, or a folder with its contents. It succeeds if nothing exists.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns the free space around `path` in bytes, if the system reports it.
    fn free_space(&self, path: &Path) -> Option<u64>;
}

/// The disk of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        watched("create-folder", || fs::create_dir(path))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if failpoint::strikes("half-write") {
            fs::write(path, &bytes[..bytes.len() / 2])?;
            std::process::abort();
        }
        watched("write", || fs::write(path, bytes))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // A single write lets concurrent readers, and a run that was killed, see complete lines.
        let append = || OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes);
        watched("append", append)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        watched("sync", || OpenOptions::new().write(true).open(path)?.sync_all())
    }

    #[cfg(unix)]
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        watched("sync-folder", || fs::File::open(path)?.sync_all())
    }

    #[cfg(not(unix))]
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        watched("rename", || fs::rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let remove = || match fs::symlink_metadata(path) {
            Ok(about) if about.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(cause) => Err(cause),
        };
        match watched("remove", remove) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn free_space(&self, path: &Path) -> Option<u64> {
        fs4::available_space(path).ok()
    }
}

/// Performs `operation`. The process can be killed before or after it by a fail point.
fn watched<T>(name: &str, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    failpoint::death("before", name);
    let done = operation();
    failpoint::death("after", name);
    done
}

/// Returns the error for an operation that failed with `cause`. `doing` describes it, and `bytes`
/// is the space that it needs in `folder`.
pub(crate) fn failure(
    disk: &dyn Disk,
    doing: impl Display,
    folder: &Path,
    bytes: u64,
    cause: &io::Error,
) -> Error {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            let free = disk.free_space(folder).map_or_else(|| "too few".into(), size);
            Error::new(
                crate::ErrorKind::Io,
                format!("cannot {doing}: {} are needed, and {free} are free", size(bytes)),
            )
            .advise(Remedy::ThenResume("free some space".into()))
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Error::io(doing, cause).advise(Remedy::ThenResume("make the folder writable".into()))
        }
        _ => Error::io(doing, cause),
    }
}

pub(crate) fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

/// Formats a size such as `2.4 MB`.
fn size(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.into_iter().find(|(_, unit)| bytes as f64 >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_that_people_read() {
        for (bytes, text) in [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2_440_000, "2.4 MB")] {
            assert_eq!(size(bytes), text);
        }
    }
}
