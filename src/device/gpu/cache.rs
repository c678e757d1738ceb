//! Caches results about an adapter on disk, in small files that may be lost or damaged at any time.
//!
//! A file identifies the adapter, driver and kernels of its content, and has a checksum. A file
//! that is damaged or has another subject is ignored. Files can be deleted safely.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::fs::atomic;

/// Version of the file format. Files of other versions are ignored.
const VERSION: u32 = 2;

/// Maximum size of a cache file. Larger files are ignored.
const MOST_BYTES: u64 = 4 << 20;

/// The properties that cached results depend on. If any of them changes, the results are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Name of the adapter.
    pub adapter: String,
    /// `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// Name and version of the driver.
    pub driver: String,
    /// The shader compiler: `driver`, `dxc` or `fxc`.
    pub compiler: String,
    /// Number of lanes of a subgroup, if kernels may use subgroup operations.
    pub subgroup_size: Option<u32>,
    /// Fingerprint of the sources of the kernels.
    pub kernels: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<T> {
    version: u32,
    subject: Subject,
    content: T,
    /// SHA-256 of everything above.
    sha256: String,
}

impl<T: Serialize> File<T> {
    fn new(subject: Subject, content: T) -> Self {
        let mut file = File { version: VERSION, subject, content, sha256: String::new() };
        file.sha256 = file.checksum();
        file
    }

    fn checksum(&self) -> String {
        let content = serde_json::to_vec(&(self.version, &self.subject, &self.content));
        hex(&Sha256::digest(content.expect("plain values turn into JSON")))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A cache file about one adapter.
#[derive(Clone, Debug)]
pub struct CacheFile {
    path: PathBuf,
    subject: Subject,
}

impl CacheFile {
    /// Returns the file for `topic` of `subject` in `folder`, which need not exist yet.
    #[expect(clippy::missing_panics_doc, reason = "it holds by construction")]
    pub fn new(folder: &Path, topic: &str, subject: Subject) -> Self {
        let name = serde_json::to_vec(&subject).expect("plain values turn into JSON");
        let name = &hex(&Sha256::digest(name))[..16];
        CacheFile { path: folder.join(format!("{topic}-{name}.json")), subject }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the content; `None` if there is no file, or it is damaged or has another subject.
    pub fn load<T: Serialize + DeserializeOwned>(&self) -> Option<T> {
        let size = std::fs::metadata(&self.path).ok()?.len();
        let text = (size <= MOST_BYTES).then(|| std::fs::read(&self.path).ok())??;
        let file: File<T> = serde_json::from_slice(&text).ok()?;
        let trusted =
            file.version == VERSION && file.subject == self.subject && file.sha256 == file.checksum();
        trusted.then_some(file.content)
    }

    /// Replaces the content of the file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be written.
    #[expect(clippy::missing_panics_doc, reason = "it holds by construction")]
    pub fn store<T: Serialize>(&self, content: T) -> Result<()> {
        let text = serde_json::to_string_pretty(&File::new(self.subject.clone(), content));
        let text = text.expect("plain values turn into JSON");
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|cause| Error::io(format!("create {}", folder.display()), &cause))?;
        }
        atomic::write(&self.path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject {
            adapter: "A GPU".into(),
            backend: "vulkan".into(),
            driver: "driver 1.0".into(),
            compiler: "driver".into(),
            subgroup_size: Some(32),
            kernels: 7,
        }
    }

    type Content = Option<Vec<(String, u32)>>;

    fn content() -> Content {
        Some(vec![("matmul nt 64x128x784".into(), 3)])
    }

    #[test]
    fn content_is_loaded_until_it_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = CacheFile::new(&folder.path().join("not/yet"), "topic", subject());
        assert_eq!(cache.load::<Content>(), None);
        for content in [content(), Some(Vec::new()), None] {
            cache.store(&content).expect("it can be written");
            assert_eq!(cache.load::<Content>(), Some(content));
        }
        let other = CacheFile::new(&folder.path().join("not/yet"), "another", subject());
        assert_eq!(other.load::<Content>(), None);
    }

    #[test]
    fn another_driver_adapter_compiler_or_kernel_has_another_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = CacheFile::new(folder.path(), "topic", subject());
        cache.store(content()).expect("it can be written");
        for other in [
            Subject { driver: "driver 1.1".into(), ..subject() },
            Subject { adapter: "B GPU".into(), ..subject() },
            Subject { compiler: "dxc".into(), ..subject() },
            Subject { subgroup_size: None, ..subject() },
            Subject { kernels: 8, ..subject() },
        ] {
            let other = CacheFile::new(folder.path(), "topic", other);
            assert_eq!(other.load::<Content>(), None);
            // Also if the file has the right name.
            std::fs::copy(cache.path(), other.path()).expect("a copy");
            assert_eq!(other.load::<Content>(), None);
        }
    }

    #[test]
    fn a_damaged_file_is_an_empty_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = CacheFile::new(folder.path(), "topic", subject());
        cache.store(content()).expect("it can be written");
        let whole = std::fs::read(cache.path()).expect("it can be read");
        for length in 0..whole.len() {
            std::fs::write(cache.path(), &whole[..length]).expect("it can be cut");
            assert_eq!(cache.load::<Content>(), None, "cut to {length} bytes");
        }
        for position in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[position] ^= 1 << bit;
                std::fs::write(cache.path(), &damaged).expect("it can be damaged");
                // Whitespace between tokens may change without changing the meaning.
                let loaded = cache.load::<Content>();
                let same = loaded == Some(content());
                let blank = whole[position].is_ascii_whitespace() && damaged[position].is_ascii_whitespace();
                assert!(loaded.is_none() || (same && blank), "bit {bit} of byte {position}: {loaded:?}");
            }
        }
        std::fs::write(cache.path(), &whole).expect("it can be mended");
        assert_eq!(cache.load(), Some(content()));
    }
}
