//! Files that are there whole or not at all.

pub mod atomic;
pub mod disk;
