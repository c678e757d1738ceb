//! What a tuner remembers: a file for each adapter, which may be lost or damaged at any time.
//!
//! The file says for which adapter, driver and kernels its choices were measured, and has a checksum.
//! Whatever is wrong with it, the choices are made anew; deleting it is safe.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::atomic;
use crate::error::{Error, Result};

/// Version of the file. Others are not read.
const VERSION: u32 = 1;

/// Files beyond this size are not the tuner's.
const MOST_BYTES: u64 = 4 << 20;

/// What choices depend on besides the op.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The adapter's name.
    pub adapter: String,
    /// `vulkan`, `metal` or `dx12`.
    pub backend: String,
    /// Driver name and version.
    pub driver: String,
    /// Lanes of a subgroup, where the kernels may use them.
    pub subgroup_size: Option<u32>,
    /// Fingerprint of the kernels' sources.
    pub kernels: u64,
}

/// Choices by key: which of its ways is the fastest.
pub type Choices = BTreeMap<String, String>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    subject: Subject,
    choices: Choices,
    /// Of everything above.
    sha256: String,
}

impl File {
    fn new(subject: &Subject, choices: &Choices) -> Self {
        let mut file = File {
            version: VERSION,
            subject: subject.clone(),
            choices: choices.clone(),
            sha256: String::new(),
        };
        file.sha256 = file.checksum();
        file
    }

    fn checksum(&self) -> String {
        let content = serde_json::to_vec(&(self.version, &self.subject, &self.choices));
        hex(&Sha256::digest(content.expect("plain values turn into JSON")))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file of one adapter.
#[derive(Clone, Debug)]
pub struct Memory {
    path: PathBuf,
    subject: Subject,
}

impl Memory {
    /// The memory of `subject` in `folder`, which need not exist yet.
    pub fn new(folder: &Path, subject: Subject) -> Self {
        let name = serde_json::to_vec(&subject).expect("plain values turn into JSON");
        let name = &hex(&Sha256::digest(name))[..16];
        Memory { path: folder.join(format!("tuning-{name}.json")), subject }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file says; nothing where there is none, or none that can be trusted.
    pub fn recall(&self) -> Choices {
        let read = || {
            let size = std::fs::metadata(&self.path).ok()?.len();
            let text = (size <= MOST_BYTES).then(|| std::fs::read(&self.path).ok())??;
            let file: File = serde_json::from_slice(&text).ok()?;
            let trusted =
                file.version == VERSION && file.subject == self.subject && file.sha256 == file.checksum();
            trusted.then_some(file.choices)
        };
        read().unwrap_or_default()
    }

    /// Adds `found` to what the file says by now: another process may have written it meanwhile.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) where the file cannot be written.
    pub fn remember(&self, found: &Choices) -> Result<()> {
        let mut choices = self.recall();
        choices.extend(found.clone());
        let text = serde_json::to_string_pretty(&File::new(&self.subject, &choices));
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
            subgroup_size: Some(32),
            kernels: 7,
        }
    }

    fn choices(pairs: &[(&str, &str)]) -> Choices {
        pairs.iter().map(|&(key, way)| (key.into(), way.into())).collect()
    }

    #[test]
    fn what_is_remembered_is_recalled_and_added_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::new(&folder.path().join("not/yet"), subject());
        assert_eq!(memory.recall(), Choices::new());
        memory.remember(&choices(&[("a", "x")])).expect("it can be written");
        memory.remember(&choices(&[("b", "y"), ("a", "z")])).expect("it can be written");
        assert_eq!(memory.recall(), choices(&[("a", "z"), ("b", "y")]));
    }

    #[test]
    fn another_driver_adapter_or_kernel_has_another_memory() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::new(folder.path(), subject());
        memory.remember(&choices(&[("a", "x")])).expect("it can be written");
        for other in [
            Subject { driver: "driver 1.1".into(), ..subject() },
            Subject { adapter: "B GPU".into(), ..subject() },
            Subject { subgroup_size: None, ..subject() },
            Subject { kernels: 8, ..subject() },
        ] {
            let other = Memory::new(folder.path(), other);
            assert_eq!(other.recall(), Choices::new());
            // Not even where the file bears the right name.
            std::fs::copy(memory.path(), other.path()).expect("a copy");
            assert_eq!(other.recall(), Choices::new());
        }
    }

    #[test]
    fn a_damaged_file_is_an_empty_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::new(folder.path(), subject());
        memory.remember(&choices(&[("matmul nt 64x128x784", "tiled")])).expect("it can be written");
        let whole = std::fs::read(memory.path()).expect("it can be read");
        for length in 0..whole.len() {
            std::fs::write(memory.path(), &whole[..length]).expect("it can be cut");
            assert_eq!(memory.recall(), Choices::new(), "cut to {length} bytes");
        }
        for position in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[position] ^= 1 << bit;
                std::fs::write(memory.path(), &damaged).expect("it can be damaged");
                // Space between tokens may change without a change of meaning.
                let recalled = memory.recall();
                let same = recalled == choices(&[("matmul nt 64x128x784", "tiled")]);
                let blank = whole[position].is_ascii_whitespace() && damaged[position].is_ascii_whitespace();
                assert!(recalled.is_empty() || (same && blank), "bit {bit} of byte {position}: {recalled:?}");
            }
        }
        std::fs::write(memory.path(), &whole).expect("it can be mended");
        assert_eq!(memory.recall().len(), 1);
    }
}
