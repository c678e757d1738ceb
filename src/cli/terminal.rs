//! A training run for people: a table on standard output, a progress bar on standard error.

use std::io::{self, IsTerminal};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;
use super::progress_line::ProgressLine;
use super::style::{Style, is_capable};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{duration, figure, percentage};
use crate::train::{End, Epoch, Observer, Progress, Start};

/// A column of the table.
#[derive(Debug)]
struct Column {
    title: &'static str,
    /// As wide as its numbers need.
    width: usize,
    /// Where not all have room, the dearest stay.
    price: usize,
    text: fn(&Epoch) -> String,
}

const COLUMNS: [Column; 7] = [
    Column { title: "epoch", width: 5, price: 7, text: |epoch| epoch.epoch.to_string() },
    Column { title: "train loss", width: 10, price: 3, text: |epoch| figure(epoch.train_loss) },
    Column { title: "train acc", width: 9, price: 4, text: |epoch| percentage(epoch.train_accuracy) },
    Column { title: "test loss", width: 10, price: 5, text: |epoch| figure(epoch.test_loss) },
    Column { title: BEST, width: 9, price: 6, text: |epoch| percentage(epoch.test_accuracy) },
    Column { title: "seconds", width: 8, price: 1, text: |epoch| duration(epoch.seconds) },
    Column {
        title: "images/s",
        width: 10,
        price: 2,
        text: |epoch| format!("{:.0}", epoch.images_per_second),
    },
];

/// The column whose best value so far is marked.
const BEST: &str = "test acc";

/// Between columns.
const GAP: &str = "  ";

/// Prints a row an epoch, and moves the bar in between.
#[derive(Debug)]
pub(super) struct Terminal {
    style: Style,
    bar: ProgressBar,
    epochs: usize,
    /// The columns that standard output has room for.
    columns: Vec<Column>,
    /// The highest test accuracy so far.
    best: Option<f64>,
}

impl Terminal {
    /// For the process's outputs, as they are.
    pub(super) fn new() -> Result<Self> {
        let target = if io::stderr().is_terminal() && is_capable() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let line = ProgressStyle::with_template("{msg}")
            .map_err(|cause| Error::new(ErrorKind::Internal, format!("the progress bar: {cause}")))?;
        let bar = ProgressBar::with_draw_target(None, target).with_style(line);
        let columns = fitting(columns_of(&Term::stdout()));
        Ok(Terminal { style: Style::of_stdout(), bar, epochs: 0, columns, best: None })
    }

    /// Prints lines of the result, above the bar where both are on one screen.
    fn print(&self, text: &str) -> Result<()> {
        self.bar.suspend(|| output::print(text))
    }
}

/// How many columns a terminal has; nothing for what is no terminal.
fn columns_of(output: &Term) -> Option<usize> {
    output.size_checked().map(|(_, columns)| columns.into())
}

/// The dearest columns of the table that have room together; all of them where room is no matter.
fn fitting(room: Option<usize>) -> Vec<Column> {
    let mut columns = Vec::from(COLUMNS);
    let width = |columns: &[Column]| columns.iter().map(|column| column.width + GAP.len()).sum::<usize>();
    // The first column needs no gap, and the last place of a line stays empty.
    while columns.len() > 1 && room.is_some_and(|room| width(&columns) > room + 1) {
        let cheapest = (0..columns.len()).min_by_key(|&index| columns[index].price);
        cheapest.map(|index| columns.remove(index));
    }
    columns
}

impl Observer for Terminal {
    fn start(&mut self, start: &Start) -> Result<()> {
        self.epochs = start.config.epochs;
        let text = heading(start, &self.columns, self.style);
        self.print(&text)
    }

    fn progress(&mut self, progress: &Progress) -> Result<()> {
        // Looked at each time: people change the size of their windows.
        let Some(columns) = columns_of(&Term::stderr()) else { return Ok(()) };
        let line = ProgressLine::new(progress, self.epochs, columns);
        // One call, so that no line is drawn of which a part is older than the rest.
        self.bar.set_message(line.to_text(Style::of_stderr()));
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let is_best = self.best.is_none_or(|best| epoch.test_accuracy > best);
        if is_best {
            self.best = Some(epoch.test_accuracy);
        }
        let text = row(epoch, is_best, &self.columns, self.style);
        self.print(&text)
    }

    fn end(&mut self, end: &End) -> Result<()> {
        self.bar.finish_and_clear();
        output::print(&summary(end, self.best, self.style))
    }
}

impl Drop for Terminal {
    /// A run that ends with an error leaves no half bar behind.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn heading(start: &Start, columns: &[Column], style: Style) -> String {
    let Start { device, dataset, .. } = start;
    let [channels, height, width] = dataset.shape;
    let lines = [
        ("device", format!("{} ({})", device.name, device.backend)),
        (
            "data",
            format!(
                "{}: {} training and {} test images, {channels}x{height}x{width}, {} classes",
                dataset.name, dataset.train, dataset.test, dataset.classes
            ),
        ),
        ("model", format!("{} ({} parameters)", start.model, start.parameters)),
        ("run", start.run.display().to_string()),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{} {value}\n", style.faint(&format!("{name:<7}"))));
    }
    let titles = columns.iter().map(|Column { title, width, .. }| format!("{title:>width$}"));
    text.push_str(&format!("\n{}\n", style.strong(&titles.collect::<Vec<_>>().join(GAP))));
    text
}

fn row(epoch: &Epoch, is_best: bool, columns: &[Column], style: Style) -> String {
    let cells = columns.iter().map(|Column { title, width, text, .. }| {
        let cell = format!("{:>width$}", text(epoch));
        if is_best && *title == BEST { style.good(&cell) } else { cell }
    });
    format!("{}\n", cells.collect::<Vec<_>>().join(GAP))
}

fn summary(end: &End, best: Option<f64>, style: Style) -> String {
    let last = style.strong(&percentage(end.test_accuracy));
    let best = best.unwrap_or(end.test_accuracy);
    let mut text = format!("\ntest accuracy {last}");
    if best > end.test_accuracy {
        text.push_str(&format!(", best {} after epoch {}", percentage(best), end.best_epoch));
    }
    let hash = end.weights_sha256.get(..12).unwrap_or(&end.weights_sha256);
    let seconds = duration(end.seconds);
    text.push_str(&format!("; {} steps in {seconds} s; weights sha256 {hash}\n", end.steps));
    let run = end.run.display();
    text.push_str(&format!("recorded in {run}; its page is {}\n", end.run.join("report.html").display()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_tables_keep_the_columns_that_matter_most() {
        let titles = |room| fitting(room).iter().map(|column| column.title).collect::<Vec<_>>().join(", ");
        assert_eq!(titles(None).split(", ").count(), COLUMNS.len());
        assert_eq!(titles(Some(74)), titles(None));
        assert_eq!(titles(Some(73)), "epoch, train loss, train acc, test loss, test acc, images/s");
        assert_eq!(titles(Some(40)), "epoch, train acc, test loss, test acc");
        assert_eq!(titles(Some(20)), "epoch, test acc");
        assert_eq!(titles(Some(1)), "epoch");
    }
}
