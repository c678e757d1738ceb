//! Files that are there whole or not at all.

pub mod atomic;
pub mod disk;

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// This crate's folder in the user's cache; `None` if the system has no such folder. It may not exist
/// yet.
pub fn user_cache() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|strategy| strategy.cache_dir().join("shadegrad"))
}
