//! A spinner for work that takes seconds.

use std::io::{self, IsTerminal};
use std::sync::LazyLock;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::style::is_capable;

/// All spinners of the process. They are drawn below each other, and are hidden while a note is
/// printed.
static SPINNERS: LazyLock<MultiProgress> = LazyLock::new(|| {
    let target = if is_visible() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    MultiProgress::with_draw_target(target)
});

/// Whether spinners can be drawn on standard error.
pub(super) fn is_visible() -> bool {
    io::stderr().is_terminal() && is_capable()
}

/// Creates a spinner on standard error with a message. It is hidden if standard error is not a
/// terminal.
pub(super) fn spinner() -> ProgressBar {
    let bar = SPINNERS.add(ProgressBar::new_spinner());
    let line = ProgressStyle::with_template("{spinner} {wide_msg}");
    bar.set_style(line.expect("the template is well-formed"));
    bar
}

/// Calls `write` while all spinners are hidden.
pub(super) fn without_spinners<T>(write: impl FnOnce() -> T) -> T {
    SPINNERS.suspend(write)
}
