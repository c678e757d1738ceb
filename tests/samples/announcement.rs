//! What a test says whether it passes or not.

use std::io::Write;

/// Says what ran, also where the test passes.
pub fn announce(line: &str) {
    // Not `eprintln!`, which the test program keeps to itself.
    writeln!(std::io::stderr(), "{line}").expect("standard error takes a line");
}

/// Says what did not run on a GPU without floats of 16 bits.
pub fn announce_no_halves(what: &str) {
    announce(&format!("{what}: NOT RUN with 16 bits, this GPU has no such floats"));
}
