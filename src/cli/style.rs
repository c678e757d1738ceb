//! Colours for terminals that support them, and the width of the terminal.

use std::io::{self, IsTerminal};

use console::Term;

/// Adds colours to text for one output, or leaves it unchanged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    coloured: bool,
}

impl Style {
    /// Creates the style for standard output.
    pub(super) fn of_stdout() -> Self {
        Style { coloured: io::stdout().is_terminal() && is_welcome() }
    }

    /// Creates the style for standard error.
    pub(super) fn of_stderr() -> Self {
        Style { coloured: io::stderr().is_terminal() && is_welcome() }
    }

    /// Creates a style without colours.
    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Style { coloured: false }
    }

    /// Formats a headline.
    pub(super) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Formats a failure.
    pub(super) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// Formats a success, or the best result so far.
    pub(super) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Formats the part of a progress bar that is done.
    pub(super) fn accent(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// Formats labels and comments.
    pub(super) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }
}

/// Whether the terminal supports escape codes and the user has not disabled colours.
fn is_welcome() -> bool {
    is_capable() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Returns the columns of standard output, if a terminal or the user (`COLUMNS`) gives them.
pub(super) fn columns() -> Option<u16> {
    let said = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    Term::stdout().size_checked().map(|(_, columns)| columns).or_else(said)
}

/// Whether the terminal supports escape codes.
pub(super) fn is_capable() -> bool {
    std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}
