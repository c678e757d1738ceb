//! Every op on every device: the CPU is compared with float64 loops, and the GPU with the CPU.
//!
//! A new op needs a file in `tests/ops/cases` with at least 50 cases, and its name in
//! `tests/ops/cases/mod.rs`. Without a GPU these tests fail.

#[path = "samples/announcement.rs"]
mod announcement;
#[path = "ops/bench.rs"]
mod bench;
#[path = "ops/cases/mod.rs"]
mod cases;
#[path = "ops/compare.rs"]
mod compare;
#[path = "ops/gradients.rs"]
mod gradients;
#[path = "ops/limits.rs"]
mod limits;
#[path = "ops/numbers.rs"]
mod numbers;
#[path = "ops/philox.rs"]
mod philox;
#[path = "ops/reference.rs"]
mod reference;
#[path = "ops/refusals.rs"]
mod refusals;
#[path = "ops/runner.rs"]
mod runner;
#[path = "ops/subject.rs"]
mod subject;
#[path = "ops/wrong_kernels.rs"]
mod wrong_kernels;
#[path = "samples/wrong_op.rs"]
mod wrong_op;

use announcement::{announce, announce_no_halves};
