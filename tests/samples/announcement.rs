//! Messages that a test prints even if it passes.

use std::io::Write;

/// Prints what ran, even if the test passes.
pub fn announce(line: &str) {
    // The test harness captures `eprintln!`.
    writeln!(std::io::stderr(), "{line}").expect("standard error takes a line");
}

/// Prints what was skipped on a GPU without f16.
pub fn announce_no_halves(what: &str) {
    announce(&format!("{what}: NOT RUN with 16 bits, this GPU has no such floats"));
}
