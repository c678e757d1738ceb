//! A byte stream for untrusted data files. Every read says what it is for, memory is allocated only
//! for bytes that have arrived, and every error names the file, what was found and what was
//! expected.

use crate::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

/// Size of the disk buffer in bytes.
const DISK_BUFFER: usize = 256 * 1024;

/// First step by which memory grows while reading. Later steps double the size.
const FIRST_STEP: u64 = 1024 * 1024;

/// Maximum size of a file after decompression, in bytes.
const MAX_CONTENT: u64 = 2 * 1024 * 1024 * 1024;

/// Above this size, compressed contents must also respect [`MAX_RATIO`].
const ALWAYS_PLAUSIBLE: u64 = 64 * 1024 * 1024;

/// Maximum compression ratio. Photographs and drawings stay below 20; a gzip bomb reaches 1,000.
const MAX_RATIO: u64 = 200;

/// Returns the error for a file whose contents are not as expected.
pub(crate) fn unlike(
    file: impl fmt::Display,
    found: impl fmt::Display,
    expected: impl fmt::Display,
) -> Error {
    Error::data(format!("{file}: found {found}, expected {expected}"))
}

/// Returns the maximum decompressed size for a file of `packed` bytes.
pub(crate) fn plausible_content(packed: u64) -> u64 {
    packed.saturating_mul(MAX_RATIO).clamp(ALWAYS_PLAUSIBLE, MAX_CONTENT)
}

/// Opens `path` if it is a regular file (or a link to one), and returns its size.
///
/// Anything else is rejected before it is opened, because reading a pipe could block forever.
pub(crate) fn open_regular(path: &Path) -> Result<(File, u64)> {
    let reading = |cause: &io::Error| Error::io(format_args!("read {}", path.display()), cause);
    let metadata = std::fs::metadata(path).map_err(|cause| reading(&cause))?;
    if !metadata.is_file() {
        let found = if metadata.is_dir() { "a folder" } else { "a device or pipe" };
        return Err(unlike(path.display(), found, "a regular file"));
    }
    let file = File::open(path).map_err(|cause| reading(&cause))?;
    Ok((file, metadata.len()))
}

/// Whether the file starts with gzip's magic number. The file is rewound.
pub(crate) fn starts_like_gzip(file: &mut File, path: &Path) -> Result<bool> {
    let mut start = Vec::with_capacity(2);
    file.take(2)
        .read_to_end(&mut start)
        .and_then(|_| file.rewind())
        .map_err(|cause| Error::io(format_args!("read {}", path.display()), &cause))?;
    Ok(start == [0x1f, 0x8b])
}

/// The bytes of a data file. gzip is decompressed; it is recognised by the first bytes, not by the
/// file name.
pub(crate) struct Source {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    position: u64,
    /// Maximum number of bytes, derived from the file's size.
    limit: u64,
}

impl Source {
    /// Opens a plain or gzip file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let (mut file, size) = open_regular(path)?;
        let gzip = starts_like_gzip(&mut file, path)?;
        let buffered = BufReader::with_capacity(DISK_BUFFER, file);
        let (reader, limit): (Box<dyn Read + Send>, u64) = if gzip {
            let decoder = MultiGzDecoder::new(buffered);
            (Box::new(decoder), plausible_content(size))
        } else {
            (Box::new(buffered), size)
        };
        Ok(Source { path: path.to_owned(), reader, position: 0, limit })
    }

    /// Opens a file that is never compressed, and returns its size in bytes.
    pub(crate) fn open_plain(path: &Path) -> Result<(Self, u64)> {
        let (file, size) = open_regular(path)?;
        let source = Source {
            path: path.to_owned(),
            reader: Box::new(BufReader::with_capacity(DISK_BUFFER, file)),
            position: 0,
            limit: size,
        };
        Ok((source, size))
    }

    /// Returns the file's path, for messages.
    pub(crate) fn file(&self) -> impl fmt::Display {
        self.path.display()
    }

    /// Reads exactly `N` bytes. `what` names them in errors, for example `the header`.
    pub(crate) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.exactly(&mut bytes, what)?;
        Ok(bytes)
    }

    /// Fills `buffer`. `what` names the bytes in errors.
    pub(crate) fn exactly(&mut self, buffer: &mut [u8], what: &str) -> Result<()> {
        let read = self.fill(buffer)?;
        if read < buffer.len() {
            return Err(self.ends_early(what, read as u64, buffer.len() as u64));
        }
        Ok(())
    }

    /// Reads exactly `count` bytes into a vector that grows as they arrive.
    pub(crate) fn bytes(&mut self, count: u64, what: &str) -> Result<Vec<u8>> {
        let allowed = self.limit.saturating_sub(self.position);
        if count > allowed {
            let found = format_args!("a header that promises {count} bytes of {what}");
            let expected = format_args!("at most {allowed} in a file of its size");
            return Err(unlike(self.path.display(), found, expected));
        }
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < count {
            let start = bytes.len();
            let step = (count - start as u64).min(FIRST_STEP.max(start as u64)) as usize;
            bytes.reserve_exact(step);
            bytes.resize(start + step, 0);
            let read = self.fill(&mut bytes[start..])?;
            if read < step {
                return Err(self.ends_early(what, (start + read) as u64, count));
            }
        }
        Ok(bytes)
    }

    /// Reads until `buffer` is full or the contents end. Returns the number of bytes read.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(self.unreadable(filled as u64, &cause)),
            }
        }
        self.position += filled as u64;
        if self.position > self.limit {
            let found = format_args!("more than {} bytes once decompressed", self.limit);
            let expected = "images: this looks like a decompression bomb";
            return Err(unlike(self.path.display(), found, expected));
        }
        Ok(filled)
    }

    /// Reads and discards `count` bytes.
    pub(crate) fn skip(&mut self, count: u64, what: &str) -> Result<()> {
        let mut buffer = vec![0; count.min(DISK_BUFFER as u64) as usize];
        let mut left = count;
        while left > 0 {
            let step = left.min(buffer.len() as u64) as usize;
            let read = self.fill(&mut buffer[..step])?;
            left -= read as u64;
            if read < step {
                return Err(self.ends_early(what, count - left, count));
            }
        }
        Ok(())
    }

    /// Fails if more bytes follow. For gzip this also verifies the checksum.
    pub(crate) fn expect_end(&mut self) -> Result<()> {
        let position = self.position;
        if self.fill(&mut [0])? > 0 {
            let found = format_args!("more bytes after byte {position}");
            return Err(unlike(self.path.display(), found, "the end of the file"));
        }
        Ok(())
    }

    /// Passes all bytes to `consume`, piece by piece.
    pub(crate) fn for_each_piece(&mut self, mut consume: impl FnMut(&[u8])) -> Result<()> {
        let mut buffer = vec![0; DISK_BUFFER];
        loop {
            let read = self.fill(&mut buffer)?;
            consume(&buffer[..read]);
            if read < buffer.len() {
                return Ok(());
            }
        }
    }

    fn ends_early(&self, what: &str, found: u64, expected: u64) -> Error {
        let found = format_args!("the end of the file after {found} bytes of {what}");
        unlike(self.path.display(), found, expected)
    }

    fn unreadable(&self, filled: u64, cause: &io::Error) -> Error {
        unreadable(&self.path, self.position + filled, cause)
    }
}

/// Distinguishes damaged gzip data, which the decoder reports as an I/O error, from a failing disk.
pub(crate) fn unreadable(path: &Path, position: u64, cause: &io::Error) -> Error {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match cause.kind() {
        UnexpectedEof => unlike(
            path.display(),
            format_args!("the end of the compressed file after {position} bytes of content"),
            "the rest of it",
        ),
        InvalidData | InvalidInput => unlike(
            path.display(),
            format_args!("damaged gzip data after {position} bytes of content ({cause})"),
            "intact data",
        ),
        _ => Error::io(format_args!("read {}", path.display()), cause),
    }
}
