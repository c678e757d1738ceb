//! Folders of pictures: what is found, what it becomes, and what is wrong with it.

mod album;
mod damage;
mod decoding;
mod layout;
mod refused;
#[path = "../samples/mod.rs"]
#[allow(clippy::duplicate_mod)]
mod samples;
mod splits;
