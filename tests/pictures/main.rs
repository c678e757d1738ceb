//! Image folders: detecting the layout, decoding pictures, and reporting errors.

mod album;
mod damage;
mod decoding;
mod layout;
mod refused;
#[path = "../samples/mod.rs"]
#[allow(clippy::duplicate_mod)]
mod samples;
mod splits;
