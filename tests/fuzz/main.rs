//! Every parser is fed damaged files: valid ones cut at every length, valid ones with a flipped
//! bit, and 20,000 with random changes. It must return an error of the right kind or accept the
//! file, with little time and memory, and never panic.
//!
//! `mutation` changes files, and `harness` runs a parser on them. The other modules are one target
//! each. The cases are the same in every run. `PROPTEST_RNG_SEED=7` generates others, and
//! `PROPTEST_CASES=1000000` more. A case that fails is shrunk to the fewest changes that still
//! fail. One that aborts or hangs the program remains in the folder `/dev/shm/fuzz-TARGET-*` or
//! `target/tmp/fuzz-TARGET-*`, which a complete run removes.

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

/// Maximum memory of all targets together at any time. If it is exceeded, the program is aborted.
const MOST_MEMORY: usize = 512 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MOST_MEMORY);
