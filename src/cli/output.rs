//! Writing to standard output and standard error without a panic where nobody reads.

use std::io::{self, Write};

use serde::Serialize;

use super::SCHEMA;
use crate::error::{Error, ErrorKind, Result};

/// Prints a part of the result.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|cause| failure(&cause))
}

/// Prints something that is not the result.
pub(super) fn print_note(text: &str) {
    // Where standard error is gone, nobody is left to be told.
    if io::stderr().lock().write_all(text.as_bytes()).is_err() {}
}

/// What it means that standard output cannot be written to.
pub(super) fn failure(cause: &io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::BrokenPipe => Error::new(ErrorKind::OutputClosed, "standard output was closed"),
        _ => Error::io("write to standard output", cause).advise("free some space, or write elsewhere"),
    }
}

/// An object of the JSON output: `body`, with its version and name.
#[derive(Serialize)]
struct Event<'a, T> {
    schema: u32,
    event: &'a str,
    #[serde(flatten)]
    body: &'a T,
}

/// Prints one line of JSON.
pub(super) fn print_json<T: Serialize>(event: &str, body: &T) -> Result<()> {
    let line = serde_json::to_string(&Event { schema: SCHEMA, event, body })
        .map_err(|cause| Error::new(ErrorKind::Internal, format!("cannot write {event} as JSON: {cause}")))?;
    print(&format!("{line}\n"))
}
