//! A training run for people: a table on standard output, a progress bar on standard error.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;
use super::style::{Style, is_capable};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{duration, figure, percentage};
use crate::train::{End, Epoch, Observer, Progress, Start};

/// The columns, as wide as their numbers need.
const COLUMNS: [(&str, usize); 7] = [
    ("epoch", 5),
    ("train loss", 10),
    ("train acc", 9),
    ("test loss", 10),
    ("test acc", 9),
    ("seconds", 8),
    ("images/s", 10),
];

/// Prints a row an epoch, and moves the bar in between.
#[derive(Debug)]
pub(super) struct Terminal {
    style: Style,
    bar: ProgressBar,
    epochs: usize,
    steps_per_epoch: usize,
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
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(bar_style()?);
        Ok(Terminal { style: Style::of_stdout(), bar, epochs: 0, steps_per_epoch: 0, best: None })
    }

    /// Prints lines of the result, above the bar where both are on one screen.
    fn print(&self, text: &str) -> Result<()> {
        self.bar.suspend(|| output::print(text))
    }
}

fn bar_style() -> Result<ProgressStyle> {
    let template = if Style::of_stderr().is_coloured() {
        "{prefix:.bold} {bar:32.cyan/dim} {percent:>3}%  {msg}  {eta:.dim} left"
    } else {
        "{prefix} {bar:32} {percent:>3}%  {msg}  {eta} left"
    };
    let style = ProgressStyle::with_template(template)
        .map_err(|cause| Error::new(ErrorKind::Internal, format!("the progress bar: {cause}")))?;
    Ok(style.progress_chars("━╸─"))
}

impl Observer for Terminal {
    fn start(&mut self, start: &Start) -> Result<()> {
        self.epochs = start.config.epochs;
        self.steps_per_epoch = start.steps_per_epoch;
        let text = heading(start, self.style);
        self.print(&text)
    }

    fn progress(&mut self, progress: &Progress) -> Result<()> {
        if progress.steps > 0 {
            self.bar.set_length(progress.steps as u64);
        }
        if progress.epoch > 0 {
            self.bar.set_prefix(format!("epoch {}/{}", progress.epoch, self.epochs));
        }
        self.bar.set_position(progress.step as u64);
        self.bar.set_message(format!("loss {}", figure(progress.loss)));
        Ok(())
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let is_best = self.best.is_none_or(|best| epoch.test_accuracy > best);
        if is_best {
            self.best = Some(epoch.test_accuracy);
        }
        let text = row(epoch, is_best, self.style);
        self.print(&text)?;
        self.bar.reset();
        Ok(())
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

fn heading(start: &Start, style: Style) -> String {
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
    let titles: Vec<String> = COLUMNS.iter().map(|(title, width)| format!("{title:>width$}")).collect();
    text.push_str(&format!("\n{}\n", style.strong(&titles.join("  "))));
    text
}

fn row(epoch: &Epoch, is_best: bool, style: Style) -> String {
    let cells = [
        epoch.epoch.to_string(),
        figure(epoch.train_loss),
        percentage(epoch.train_accuracy),
        figure(epoch.test_loss),
        percentage(epoch.test_accuracy),
        duration(epoch.seconds),
        format!("{:.0}", epoch.images_per_second),
    ];
    let cells = cells.iter().zip(COLUMNS).map(|(cell, (title, width))| {
        let cell = format!("{cell:>width$}");
        if is_best && title == "test acc" { style.good(&cell) } else { cell }
    });
    format!("{}\n", cells.collect::<Vec<_>>().join("  "))
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
    text.push_str(&format!("recorded in {}\n", end.run.display()));
    text
}
