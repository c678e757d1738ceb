//! What a run does to a disk, operation by operation, and what it says where one fails.

use std::fmt::{Debug, Display};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::error::Error;
use crate::failpoint;
use crate::remedy::Remedy;

/// The operations that saving a run is made of. There is one disk; a test puts itself in front of it
/// and lets each operation fail in turn, or be the last before the process is killed.
pub trait Disk: Debug {
    /// Makes a folder, which is not there yet.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Writes a file, which may be there already.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Adds to a file's end; makes it where it is missing.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Waits until a file's content outlasts a power cut.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Waits until the names in a folder outlast a power cut, where the system can.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Gives a file or a folder another name. A file may take the name of another, at once; a folder
    /// may not.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, or a folder with all that is in it. Nothing there is fine.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Bytes that are free around `path`, where the system says.
    fn free_space(&self, path: &Path) -> Option<u64>;
}

/// The disk.
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
        // One write: a reader sees whole lines, and so does a run that was killed.
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

/// Does `operation`, before or after which a test may have the process killed.
fn watched<T>(name: &str, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    failpoint::death("before", name);
    let done = operation();
    failpoint::death("after", name);
    done
}

/// The error for an operation that failed with `cause`: `doing` needed room for `bytes` in `folder`.
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

/// The error that a disk with `free` bytes would give.
pub(crate) fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

/// `2.4 MB`
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
