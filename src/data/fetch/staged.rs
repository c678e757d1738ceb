//! A temporary file that is written in the same folder as the final one.

use crate::data::catalogue::{Form, KnownFile};
use crate::data::source::starts_like_gzip;
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Keeps other processes from writing to the same folder while it exists.
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Creates the folder if necessary and locks it.
    pub(super) fn take(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .map_err(|cause| Error::io(format_args!("create {}", folder.display()), &cause))?;
        let path = folder.join(".lock");
        let locking = |cause: &io::Error| Error::io(format_args!("lock {}", path.display()), cause);
        let file = (OpenOptions::new().write(true).create(true).truncate(false))
            .open(&path)
            .map_err(|cause| locking(&cause))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!("another process is writing to {}", folder.display());
                return Err(Error::new(ErrorKind::Io, message).advise("wait until it is done"));
            }
            // Some network file systems have no locks. Two downloads at once are rare enough.
            Err(TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(cause)) => return Err(locking(&cause)),
        }
        Ok(FolderLock { _file: file })
    }
}

/// The source of the bytes of a partial download. Only the same object may continue them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The address of the file at the mirror.
    pub(super) url: String,
    /// The server's identifier of this version of the file: a strong `ETag`, or `Last-Modified`.
    pub(super) validator: Option<String>,
    /// The size of the whole object in bytes, if the server sent it.
    pub(super) total: Option<u64>,
}

/// A file that is being written.
pub(super) struct Staged {
    folder: PathBuf,
    path: PathBuf,
    note_path: PathBuf,
    file: File,
    length: u64,
}

impl Staged {
    /// Opens `NAME.SUFFIX` in `folder`, including the bytes that an earlier run left there.
    pub(super) fn open(folder: &Path, name: &str, suffix: &str) -> Result<Self> {
        let path = folder.join(format!("{name}.{suffix}"));
        let opened = (OpenOptions::new().read(true).write(true).create(true))
            .truncate(false)
            .open(&path)
            .and_then(|mut file| file.seek(SeekFrom::End(0)).map(|length| (file, length)));
        let (file, length) = opened.map_err(|cause| writing(&path, &cause))?;
        Ok(Staged {
            folder: folder.to_owned(),
            note_path: folder.join(format!("{name}.{suffix}.json")),
            path,
            file,
            length,
        })
    }

    /// Path of the temporary file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of bytes so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the source of the bytes so far, if there are any and it is known.
    pub(super) fn note(&self) -> Option<Note> {
        if self.length == 0 {
            return None;
        }
        // If the note is missing or damaged, the download starts from the beginning.
        let text = fs::read(&self.note_path).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Discards the bytes and records the source of the next ones.
    pub(super) fn restart(&mut self, note: &Note) -> Result<()> {
        let text =
            serde_json::to_vec(note).map_err(|cause| Error::new(ErrorKind::Internal, cause.to_string()))?;
        // This order keeps bytes from being combined with the note of another object.
        self.discard()?;
        fs::write(&self.note_path, text).map_err(|cause| writing(&self.note_path, &cause))
    }

    /// Discards the bytes.
    pub(super) fn discard(&mut self) -> Result<()> {
        self.length = 0;
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(|cause| writing(&self.path, &cause))
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|cause| writing(&self.path, &cause))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Flushes the file to the disk and gives it its final name. Then `replaces` is removed.
    ///
    /// The final name has no `.gz` if the contents are not compressed.
    pub(super) fn publish(mut self, known: &KnownFile, replaces: Option<&Path>) -> Result<PathBuf> {
        let saving = |cause: &io::Error| writing(&self.path, cause);
        self.file.sync_all().map_err(|cause| saving(&cause))?;
        self.file.rewind().map_err(|cause| saving(&cause))?;
        let packed = starts_like_gzip(&mut self.file, &self.path)?;
        let name = match known.name.strip_suffix(".gz") {
            Some(stem) if known.form == Form::Decompressed && !packed => stem,
            _ => &known.name,
        };
        let target = self.folder.join(name);
        fs::rename(&self.path, &target).map_err(|cause| writing(&target, &cause))?;
        remove_if_there(&self.note_path)?;
        if let Some(old) = replaces.filter(|old| **old != target) {
            remove_if_there(old)?;
        }
        sync_folder(&self.folder)?;
        Ok(target)
    }

    /// Removes the file if it is empty, so that there is nothing to resume.
    pub(super) fn discard_if_empty(self) -> Result<()> {
        if self.length == 0 {
            self.remove()?;
        }
        Ok(())
    }

    /// Removes the file.
    pub(super) fn remove(self) -> Result<()> {
        remove_if_there(&self.path)?;
        remove_if_there(&self.note_path)
    }
}

fn writing(path: &Path, cause: &io::Error) -> Error {
    Error::io(format_args!("write {}", path.display()), cause)
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format_args!("remove {}", path.display()), &cause))
        }
        _ => Ok(()),
    }
}

/// Makes a rename in `folder` survive a power failure, if the system supports it.
fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| writing(folder, &cause))?;
    }
    Ok(())
}
