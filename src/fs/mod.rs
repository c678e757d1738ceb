//! Atomic writes, and the disk operations of a run.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use shadegrad::fs::atomic;
//! use shadegrad::fs::disk::{Disk, RealDisk};
//!
//! assert!(RealDisk.free_space(Path::new(".")) > Some(1_000_000));
//! atomic::write(Path::new("notes.txt"), b"complete")?;
//! # Ok::<(), shadegrad::Error>(())
//! ```

pub mod atomic;
pub mod disk;

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// This crate's folder in the user's cache; `None` if the system has no such folder. It may not
/// exist yet.
pub fn user_cache() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|strategy| strategy.cache_dir().join("shadegrad"))
}
