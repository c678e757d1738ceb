//! Shows a training run as a table on standard output and a progress bar on standard error.

use std::io::{self, IsTerminal};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::progress_line::ProgressLine;
use super::style::{Style, is_capable};
use super::{output, remedy};
use crate::config::Monitor;
use crate::error::{Error, ErrorKind, Result};
use crate::text::human::{duration, figure, percentage};
use crate::train::{End, Epoch, Observer, Progress, Start, Warning};

#[derive(Debug)]
struct Column {
    title: &'static str,
    width: usize,
    /// Priority: columns with a low one are left out on a narrow terminal.
    price: usize,
    text: fn(&Epoch) -> String,
}

/// Titles of the columns that are shown only if the run has validation images.
const VALIDATION_LOSS: &str = "val loss";
const VALIDATION_ACCURACY: &str = "val acc";

const TEST_LOSS: &str = "test loss";
const TEST_ACCURACY: &str = "test acc";

const COLUMNS: [Column; 10] = [
    Column { title: "epoch", width: 5, price: 10, text: |epoch| epoch.epoch.to_string() },
    Column { title: "train loss", width: 10, price: 4, text: |epoch| figure(epoch.train_loss) },
    Column { title: "train acc", width: 9, price: 5, text: |epoch| percentage(epoch.train_accuracy) },
    Column {
        title: VALIDATION_LOSS,
        width: 10,
        price: 7,
        text: |epoch| epoch.validation.map(|validation| figure(validation.loss)).unwrap_or_default(),
    },
    Column {
        title: VALIDATION_ACCURACY,
        width: 9,
        price: 9,
        text: |epoch| epoch.validation.map(|validation| percentage(validation.accuracy)).unwrap_or_default(),
    },
    Column { title: TEST_LOSS, width: 10, price: 6, text: |epoch| figure(epoch.test_loss) },
    Column { title: TEST_ACCURACY, width: 9, price: 8, text: |epoch| percentage(epoch.test_accuracy) },
    // The learning rate of the epoch's last step.
    Column { title: "lr", width: 8, price: 1, text: |epoch| figure(epoch.learning_rate) },
    Column { title: "seconds", width: 8, price: 2, text: |epoch| duration(epoch.seconds) },
    Column {
        title: "images/s",
        width: 10,
        price: 3,
        text: |epoch| format!("{:.0}", epoch.images_per_second),
    },
];

/// Returns the title of the column whose metric decides the best epoch.
fn monitored_column(monitor: Monitor, has_validation: bool) -> &'static str {
    match (monitor, has_validation) {
        (Monitor::Accuracy, true) => VALIDATION_ACCURACY,
        (Monitor::Accuracy, false) => TEST_ACCURACY,
        (Monitor::Loss, true) => VALIDATION_LOSS,
        (Monitor::Loss, false) => TEST_LOSS,
    }
}

/// Space between columns.
const GAP: &str = "  ";

/// Prints one row per epoch, and updates the progress bar in between.
#[derive(Debug)]
pub(super) struct Terminal {
    style: Style,
    bar: ProgressBar,
    epochs: usize,
    /// The columns that fit standard output.
    columns: Vec<Column>,
    monitor: Monitor,
    /// The best epoch so far.
    best: Option<Epoch>,
}

impl Terminal {
    /// Creates the observer for standard output and standard error.
    pub(super) fn new() -> Result<Self> {
        let target = if io::stderr().is_terminal() && is_capable() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let line = ProgressStyle::with_template("{msg}")
            .map_err(|cause| Error::new(ErrorKind::Internal, format!("the progress bar: {cause}")))?;
        let bar = ProgressBar::with_draw_target(None, target).with_style(line);
        Ok(Terminal {
            style: Style::of_stdout(),
            bar,
            epochs: 0,
            columns: Vec::new(),
            monitor: Monitor::default(),
            best: None,
        })
    }

    /// Prints lines of the result, above the bar if both are on the same terminal.
    fn print(&self, text: &str) -> Result<()> {
        self.bar.suspend(|| output::print(text))
    }
}

/// Returns the columns of a terminal; `None` if the output is not a terminal.
fn columns_of(output: &Term) -> Option<usize> {
    output.size_checked().map(|(_, columns)| columns.into())
}

/// Returns the columns for a run with this number of validation images.
fn columns_for(validation: usize) -> Vec<Column> {
    let is_there =
        |column: &Column| validation > 0 || ![VALIDATION_LOSS, VALIDATION_ACCURACY].contains(&column.title);
    COLUMNS.into_iter().filter(is_there).collect()
}

/// Returns the columns with the highest priorities that fit; all of them without a width limit.
fn fitting(mut columns: Vec<Column>, room: Option<usize>) -> Vec<Column> {
    let width = |columns: &[Column]| columns.iter().map(|column| column.width + GAP.len()).sum::<usize>();
    // The first column needs no gap, and the last character of a line stays empty.
    while columns.len() > 1 && room.is_some_and(|room| width(&columns) > room + 1) {
        let cheapest = (0..columns.len()).min_by_key(|&index| columns[index].price);
        cheapest.map(|index| columns.remove(index));
    }
    columns
}

impl Observer for Terminal {
    fn start(&mut self, start: &Start) -> Result<()> {
        self.epochs = start.config.epochs;
        self.monitor = start.config.monitor;
        self.best = start.best;
        self.columns = fitting(columns_for(start.dataset.validation), columns_of(&Term::stdout()));
        let text = heading(start, &self.columns, self.style);
        self.print(&text)
    }

    fn progress(&mut self, progress: &Progress) -> Result<()> {
        // Queried each time, because the window may be resized.
        let Some(columns) = columns_of(&Term::stderr()) else { return Ok(()) };
        let line = ProgressLine::new(progress, self.epochs, columns);
        // A single call, so that no line is drawn with parts of different ages.
        self.bar.set_message(line.to_text(Style::of_stderr()));
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let is_best = self.best.is_none_or(|best| self.monitor.is_better(epoch, &best));
        if is_best {
            self.best = Some(*epoch);
        }
        let marked = is_best.then(|| monitored_column(self.monitor, epoch.validation.is_some()));
        let text = row(epoch, marked, &self.columns, self.style);
        self.print(&text)
    }

    fn warning(&mut self, warning: &Warning) -> Result<()> {
        self.bar.suspend(|| output::print_warning(&remedy::warning(warning)));
        Ok(())
    }

    fn end(&mut self, end: &End) -> Result<()> {
        self.bar.finish_and_clear();
        output::print(&summary(end, self.monitor, self.style))
    }
}

impl Drop for Terminal {
    /// Removes the progress bar of a run that ends with an error.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn heading(start: &Start, columns: &[Column], style: Style) -> String {
    let Start { device, dataset, .. } = start;
    let [channels, height, width] = dataset.shape;
    let validation = match dataset.validation {
        0 => String::new(),
        count => format!(", {count} validation"),
    };
    let resumed = match start.step {
        0 => String::new(),
        step => format!(", resumed at step {step}"),
    };
    let lines = [
        ("device", format!("{} ({})", device.name, device.backend)),
        (
            "data",
            format!(
                "{}: {} training{validation} and {} test images, {channels}x{height}x{width}, {} classes",
                dataset.name, dataset.train, dataset.test, dataset.classes,
            ),
        ),
        ("model", format!("{} ({} parameters)", start.model, start.parameters)),
        ("run", format!("{}{resumed}", start.run.display())),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{} {value}\n", style.faint(&format!("{name:<7}"))));
    }
    let titles = columns.iter().map(|Column { title, width, .. }| format!("{title:>width$}"));
    text.push_str(&format!("\n{}\n", style.strong(&titles.collect::<Vec<_>>().join(GAP))));
    text
}

/// Formats the row of an epoch. The value in the column `marked` is the best so far.
fn row(epoch: &Epoch, marked: Option<&str>, columns: &[Column], style: Style) -> String {
    let cells = columns.iter().map(|Column { title, width, text, .. }| {
        let cell = format!("{:>width$}", text(epoch));
        if marked == Some(*title) { style.good(&cell) } else { cell }
    });
    format!("{}\n", cells.collect::<Vec<_>>().join(GAP))
}

/// Formats the best epoch with the metrics that decided it, `(validation 96.53%, test 95.49%)`.
fn best_epoch(end: &End, monitor: Monitor, style: Style) -> String {
    let best = &end.best;
    let mut figures = Vec::new();
    if monitor == Monitor::Loss {
        let loss = best.validation.map_or(best.test_loss, |validation| validation.loss);
        figures.push(format!("{} {}", end.monitored, figure(loss)));
    }
    figures.extend(best.validation.map(|found| format!("validation {}", percentage(found.accuracy))));
    figures.push(format!("test {}", style.strong(&percentage(best.test_accuracy))));
    let is_last = if best.epoch == end.epochs { ", the last," } else { "" };
    format!("best epoch {}{is_last} by {} ({})", best.epoch, end.monitored, figures.join(", "))
}

fn summary(end: &End, monitor: Monitor, style: Style) -> String {
    let mut text = format!("\n{}", best_epoch(end, monitor, style));
    if end.best_epoch < end.epochs {
        text.push_str(&format!("; last epoch: test {}", style.strong(&percentage(end.test_accuracy))));
    }
    if end.stopped_early {
        text.push_str(&format!("; stopped after {} epochs without improvement", end.epochs - end.best_epoch));
    }
    let hash = end.weights_sha256.get(..12).unwrap_or(&end.weights_sha256);
    let seconds = duration(end.seconds);
    text.push_str(&format!("; {} steps in {seconds} s; weights sha256 {hash}\n", end.steps));
    let run = end.run.display();
    text.push_str(&format!("saved to {run} (report: {})\n", end.run.join("report.html").display()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_tables_keep_the_columns_that_matter_most() {
        let titles_for = |validation, room| {
            let columns = fitting(columns_for(validation), room);
            columns.iter().map(|column| column.title).collect::<Vec<_>>().join(", ")
        };
        let titles = |room| titles_for(0, room);
        assert_eq!(titles(None).split(", ").count(), COLUMNS.len() - 2, "there is no validation");
        assert_eq!(titles_for(1, None).split(", ").count(), COLUMNS.len());
        assert_eq!(
            titles_for(1, Some(80)),
            "epoch, train loss, train acc, val loss, val acc, test loss, test acc"
        );
        assert_eq!(titles_for(1, Some(20)), "epoch, val acc");
        assert_eq!(titles(Some(84)), titles(None));
        assert_eq!(
            titles(Some(83)),
            "epoch, train loss, train acc, test loss, test acc, seconds, images/s",
            "the learning rate is shown if there is room"
        );
        assert_eq!(titles(Some(73)), "epoch, train loss, train acc, test loss, test acc, images/s");
        assert_eq!(titles(Some(40)), "epoch, train acc, test loss, test acc");
        assert_eq!(titles(Some(20)), "epoch, test acc");
        assert_eq!(titles(Some(1)), "epoch");
    }
}
