//! Colours, where they are welcome, and how much room there is.

use std::io::{self, IsTerminal};

use console::Term;

/// Paints text for one output, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    coloured: bool,
}

impl Style {
    /// For standard output.
    pub(super) fn of_stdout() -> Self {
        Style { coloured: io::stdout().is_terminal() && is_welcome() }
    }

    /// For standard error.
    pub(super) fn of_stderr() -> Self {
        Style { coloured: io::stderr().is_terminal() && is_welcome() }
    }

    /// For no output in particular: paints nothing.
    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Style { coloured: false }
    }

    /// A headline.
    pub(super) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something that went wrong.
    pub(super) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// The best so far.
    pub(super) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// What is done so far.
    pub(super) fn accent(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// What only names the rest.
    pub(super) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
    }
}

/// Whether a terminal understands escape codes and the user wants to see colours.
fn is_welcome() -> bool {
    is_capable() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How many columns standard output has, where a terminal or the user (`COLUMNS`) says so.
pub(super) fn columns() -> Option<u16> {
    let said = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    Term::stdout().size_checked().map(|(_, columns)| columns).or_else(said)
}

/// Whether a terminal understands escape codes.
pub(super) fn is_capable() -> bool {
    std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}
