//! The tests that run on every machine with an adapter, in one program: it is linked once.
//!
//! `cargo test --test integration cli::` runs those of one module.

mod architecture;
mod augmentation;
mod cli;
mod data;
mod data_command;
mod fetch;
mod golden;
mod gradcheck;
mod interchange;
mod layers;
mod library_speech;
mod model_files;
mod pictures;
mod resume;
mod samples;
mod shaders;
