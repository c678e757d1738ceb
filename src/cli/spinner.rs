//! A sign of life while something takes seconds.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::style::is_capable;

/// A line on standard error that says what is being done; nothing where that is no terminal.
pub(super) fn spinner() -> ProgressBar {
    let visible = io::stderr().is_terminal() && is_capable();
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    bar.set_style(ProgressStyle::default_spinner());
    bar
}
