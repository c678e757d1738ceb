//! Reading data sets: what is right loads, everything else is an error that says why.

mod archive;
mod cifar;
mod full;
mod idx;
mod lookup;
#[path = "../samples/mod.rs"]
mod samples;
mod verify;
