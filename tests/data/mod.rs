//! Reading data sets: valid files load, and all others are an error that gives the reason.

mod archive;
mod cifar;
mod idx;
mod lookup;
mod verify;
