//! Reading data sets: valid files load, and all others are an error that gives the reason.

mod archive;
mod cifar;
mod full;
mod idx;
mod lookup;
#[path = "../samples/mod.rs"]
mod samples;
mod verify;
