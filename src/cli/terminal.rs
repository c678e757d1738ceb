//! A training run for people: a table on standard output, a progress bar on standard error.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;
use super::style::{Style, is_capable};
use crate::error::{Error, ErrorKind, Result};
use crate::train::{End, Epoch, Observer, Progress, Start};

/// The column that is there only where images were kept aside.
const VALIDATION: &str = "val acc";

/// The columns, as wide as their numbers need.
const COLUMNS: [(&str, usize); 8] = [
    ("epoch", 5),
    ("train loss", 10),
    ("train acc", 9),
    ("test loss", 10),
    ("test acc", 9),
    (VALIDATION, 9),
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
    /// The best epoch so far.
    best: Option<Epoch>,
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
        let is_best = self.best.is_none_or(|best| epoch.score() > best.score());
        if is_best {
            self.best = Some(*epoch);
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
    let kept_aside = match dataset.validation {
        0 => String::new(),
        count => format!(", {count} validation"),
    };
    let goes_on = match start.step {
        0 => String::new(),
        step => format!(", goes on after step {step}"),
    };
    let lines = [
        ("device", format!("{} ({})", device.name, device.backend)),
        (
            "data",
            format!(
                "{}: {} training{kept_aside} and {} test images, {channels}x{height}x{width}, {} classes",
                dataset.name, dataset.train, dataset.test, dataset.classes,
            ),
        ),
        ("model", format!("{} ({} parameters)", start.model, start.parameters)),
        ("run", format!("{}{goes_on}", start.run.display())),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{} {value}\n", style.faint(&format!("{name:<7}"))));
    }
    let shown = COLUMNS.iter().filter(|(title, _)| *title != VALIDATION || dataset.validation > 0);
    let titles: Vec<String> = shown.map(|(title, width)| format!("{title:>width$}")).collect();
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
        epoch.validation.map(|validation| percentage(validation.accuracy)).unwrap_or_default(),
        duration(epoch.seconds),
        format!("{:.0}", epoch.images_per_second),
    ];
    let judge = if epoch.validation.is_some() { VALIDATION } else { "test acc" };
    let shown = cells.iter().zip(COLUMNS).filter(|(cell, _)| !cell.is_empty());
    let cells = shown.map(|(cell, (title, width))| {
        let cell = format!("{cell:>width$}");
        if is_best && title == judge { style.good(&cell) } else { cell }
    });
    format!("{}\n", cells.collect::<Vec<_>>().join("  "))
}

fn summary(end: &End, best: Option<Epoch>, style: Style) -> String {
    let last = style.strong(&percentage(end.test_accuracy));
    let mut text = format!("\ntest accuracy {last}");
    if let Some(best) = best.filter(|best| best.epoch == end.best_epoch && best.epoch < end.epochs) {
        text.push_str(&format!(", best {} after epoch {}", percentage(best.test_accuracy), end.best_epoch));
    }
    if end.stopped_early {
        text.push_str(&format!(
            "; stopped after {} epochs without a better one",
            end.epochs - end.best_epoch
        ));
    }
    let hash = end.weights_sha256.get(..12).unwrap_or(&end.weights_sha256);
    let seconds = duration(end.seconds);
    text.push_str(&format!("; {} steps in {seconds} s; weights sha256 {hash}\n", end.steps));
    text.push_str(&format!("recorded in {}\n", end.run.display()));
    text
}

/// A loss with four digits, whatever its size.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 || !size.is_finite() => format!("{value:.3e}"),
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        size if size >= 1.0 || size == 0.0 => format!("{value:.3}"),
        size if size >= 1e-3 => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

fn percentage(share: f64) -> String {
    format!("{:.2}%", 100.0 * share)
}

fn duration(seconds: f64) -> String {
    let duration = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    if duration < Duration::from_secs(100) { format!("{seconds:.2}") } else { format!("{seconds:.0}") }
}
