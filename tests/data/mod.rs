//! Reading data sets: what is right loads, everything else is an error that says why.

mod archive;
mod cifar;
mod idx;
mod lookup;
mod verify;
