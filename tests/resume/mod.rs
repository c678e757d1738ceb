//! Interrupted runs: whatever ends a run, at whatever moment, it resumes from its last checkpoint
//! and ends as if nothing had happened.

mod damage;
mod divergence;
mod exactness;
mod faults;
mod kills;
mod lost;
mod old_runs;
mod origins;
mod patience;
mod signals;
mod support;
