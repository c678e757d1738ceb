//! Every parser is fed damaged files: valid ones cut at every length, valid ones with a flipped bit, and
//! 20,000 that were changed at random in several ways. It answers with an error of the right kind or takes
//! the file, in little time and memory, and never panics.
//!
//! `mutation` changes files, `harness` runs a parser over them; the other modules are one target each.
//! The cases are the same in every run. `PROPTEST_RNG_SEED=7` makes others, `PROPTEST_CASES=1000000` more.
//! A case that fails is shrunk to the fewest changes that still fail. One that aborts or hangs the program
//! is still in the folder `/dev/shm/fuzz-TARGET-*` or `target/tmp/fuzz-TARGET-*`, which a whole run removes.

mod checkpoint;
mod data;
mod harness;
mod model_file;
mod mutation;
mod pictures;
mod record;
mod request;
#[path = "../samples/mod.rs"]
mod samples;
mod texts;
mod tuner;

use std::alloc::System;

use cap::Cap;

/// The most memory that all targets together may hold at any moment: beyond it the program ends.
const MOST_MEMORY: usize = 512 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MOST_MEMORY);
