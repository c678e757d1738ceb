//! SHA-256 of files and streams.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use shadegrad::data::catalogue::Form;
//! use shadegrad::data::hash::fingerprint;
//!
//! let found = fingerprint(Path::new("train-labels-idx1-ubyte.gz"), Form::Decompressed)?;
//! println!("{} bytes, SHA-256 {}", found.bytes, found.sha256);
//! # Ok::<(), shadegrad::Error>(())
//! ```

use super::catalogue::Form;
use super::source::Source;
use crate::Result;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Size and SHA-256 of some contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Number of bytes that were hashed.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// A hash that is being computed.
#[derive(Default)]
pub(crate) struct Hasher {
    digest: Sha256,
    bytes: u64,
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub(crate) fn finish(self) -> Fingerprint {
        let digest = self.digest.finalize();
        Fingerprint { bytes: self.bytes, sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

/// Hashes a file as it is or its decompressed contents, without holding them in memory.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) for damaged gzip,
/// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be read.
pub fn fingerprint(path: &Path, form: Form) -> Result<Fingerprint> {
    let mut source = match form {
        Form::AsIs => Source::open_plain(path)?.0,
        Form::Decompressed => Source::open(path)?,
    };
    let mut hasher = Hasher::default();
    source.for_each_piece(|piece| hasher.update(piece))?;
    Ok(hasher.finish())
}
