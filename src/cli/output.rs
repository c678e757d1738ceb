//! Writes to standard output and standard error without a panic if they are closed.

use std::io::{self, Write};

use serde::Serialize;

use super::spinner::without_spinners;
use crate::data::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::run::event;

/// Prints a part of the result to standard output.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|cause| failure(&cause))
}

/// Prints a note to standard error.
pub(super) fn print_note(text: &str) {
    // If standard error is closed, there is no one to notify.
    without_spinners(|| if io::stderr().lock().write_all(text.as_bytes()).is_err() {});
}

/// Prints the description of a data set, if it has one.
pub(super) fn print_description(dataset: &Dataset) {
    for line in dataset.description.iter().flat_map(|description| description.lines()) {
        print_note(&format!("note: {line}\n"));
    }
}

/// Prints the warnings about a data set.
pub(super) fn print_warnings(dataset: &Dataset) {
    for warning in &dataset.warnings {
        print_warning(warning);
    }
}

pub(super) fn print_warning(warning: &str) {
    print_note(&format!("warning: {warning}\n"));
}

/// Returns the error for a failed write to standard output.
pub(super) fn failure(cause: &io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::BrokenPipe => Error::new(ErrorKind::OutputClosed, "standard output was closed"),
        _ => Error::io("write to standard output", cause).advise("free some space, or write elsewhere"),
    }
}

pub(super) fn print_json<T: Serialize>(name: &str, body: &T) -> Result<()> {
    print(&format!("{}\n", event::line(name, body)?))
}
