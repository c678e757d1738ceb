//! The progress of a run on one line that fits the terminal.

use super::style::Style;
use crate::text::human::{count, figure, percentage, span};
use crate::train::Progress;

/// Space between the parts of a line.
const GAP: &str = "  ";

/// Minimum and maximum width of the bar. It is not drawn if there is less room.
const BAR: (usize, usize) = (6, 32);

/// On terminals with fewer columns, labels are left out.
const NARROW: usize = 40;

/// A line with three parts.
#[derive(Debug, PartialEq)]
pub(super) struct ProgressLine {
    /// `epoch 3/10`, or `3/10`.
    pub(super) epoch: String,
    /// The done and the open part of the bar, `━━━╸` and `──────`, if there is room for it.
    pub(super) bar: Option<(String, String)>,
    /// `512/938  loss 0.4321  acc 84.10%  102k images/s  12 s left`, or the parts of it that fit.
    pub(super) rest: String,
}

impl ProgressLine {
    /// Creates the line for a terminal with `columns` columns.
    pub(super) fn new(progress: &Progress, epochs: usize, columns: usize) -> Self {
        let Progress { epoch, step, steps, loss, accuracy, images_per_second, seconds_left, .. } = *progress;
        let word = if columns < NARROW { "" } else { "epoch " };
        let epoch = format!("{word}{epoch}/{epochs}");
        // In the order shown, with their priorities: those with a low priority are left out first.
        let parts = [
            (2, format!("{}/{}", count(step as u64), count(steps as u64))),
            (3, format!("loss {}", figure(loss))),
            (4, format!("acc {}", percentage(accuracy))),
            (1, format!("{} images/s", rate(images_per_second))),
            (5, format!("{} left", span(seconds_left.ceil()))),
        ];
        // The last column stays empty: some terminals wrap the line when it is written.
        let room = columns.saturating_sub(1);
        let rest = (0..=parts.len()).map(|cheap| {
            let kept = parts.iter().filter(|(price, _)| *price > cheap);
            kept.map(|(_, part)| part.as_str()).collect::<Vec<_>>().join(GAP)
        });
        let width = |rest: &str| match rest.len() {
            0 => epoch.len(),
            length => epoch.len() + GAP.len() + length,
        };
        let rest = rest.into_iter().find(|rest| width(rest) <= room).unwrap_or_default();
        let left = room.saturating_sub(width(&rest) + GAP.len());
        let share = step as f64 / steps.max(1) as f64;
        let bar = (left >= BAR.0).then(|| bar(share, left.min(BAR.1)));
        ProgressLine { epoch, bar, rest }
    }

    /// Formats the line with a coloured bar.
    pub(super) fn to_text(&self, style: Style) -> String {
        let bar = self.bar.as_ref().map(|(done, open)| style.accent(done) + &style.faint(open));
        let parts = [Some(style.strong(&self.epoch)), bar, Some(self.rest.clone())];
        let parts: Vec<_> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        parts.join(GAP)
    }
}

/// Returns the two parts of a bar of `width` columns, with a resolution of half a column.
fn bar(share: f64, width: usize) -> (String, String) {
    let halves = (share * (2 * width) as f64).round() as usize;
    let done = "━".repeat(halves / 2) + if halves % 2 == 1 { "╸" } else { "" };
    (done, "─".repeat(width - halves.div_ceil(2)))
}

/// Formats a throughput with few digits, because it changes ten times per second.
fn rate(per_second: f64) -> String {
    if per_second < 9999.5 { format!("{per_second:.0}") } else { format!("{:.0}k", per_second / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRESS: Progress = Progress {
        epoch: 3,
        step: 512,
        steps: 938,
        total_step: 2388,
        recent_loss: 0.5,
        learning_rate: 0.01,
        loss: 0.43214,
        accuracy: 0.841,
        images_per_second: 102_345.4,
        seconds_left: 11.4,
    };

    #[test]
    fn narrow_lines_keep_what_matters_most() {
        for (columns, epoch, bar, rest) in [
            (200, "epoch 3/10", 32, "512/938  loss 0.4321  acc 84.10%  102k images/s  12 s left"),
            (80, "epoch 3/10", 7, "512/938  loss 0.4321  acc 84.10%  102k images/s  12 s left"),
            (78, "epoch 3/10", 0, "512/938  loss 0.4321  acc 84.10%  102k images/s  12 s left"),
            (70, "epoch 3/10", 12, "512/938  loss 0.4321  acc 84.10%  12 s left"),
            (50, "epoch 3/10", 0, "loss 0.4321  acc 84.10%  12 s left"),
            (40, "epoch 3/10", 0, "acc 84.10%  12 s left"),
            (39, "3/10", 9, "acc 84.10%  12 s left"),
            (20, "3/10", 0, "12 s left"),
            (10, "3/10", 0, ""),
            (0, "3/10", 0, ""),
        ] {
            let line = ProgressLine::new(&PROGRESS, 10, columns);
            assert_eq!((line.epoch.as_str(), line.rest.as_str()), (epoch, rest), "{columns} columns");
            assert_eq!(width(&line), bar, "{columns} columns");
        }
    }

    fn width(line: &ProgressLine) -> usize {
        line.bar.as_ref().map_or(0, |(done, open)| done.chars().chain(open.chars()).count())
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for columns in 5..200 {
            let line = ProgressLine::new(&PROGRESS, 10, columns);
            let text = line.to_text(Style::plain());
            assert!(text.chars().count() < columns, "{columns} columns: {text}");
        }
    }

    #[test]
    fn a_bar_grows_by_halves() {
        for (share, expected) in
            [(0.0, "────"), (0.12, "╸───"), (0.25, "━───"), (0.51, "━━──"), (0.9, "━━━╸"), (1.0, "━━━━")]
        {
            let (done, open) = bar(share, 4);
            assert_eq!(done + &open, expected, "{share}");
        }
    }
}
