//! Rendering of a run as HTML: figures as text, and the templates around them.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::Serialize;

use super::contents::{Findings, Report};
use super::curves::charts;
use super::examination::{Examination, Numbers};
use super::examination_view::{View, file_name};
use super::picture;
use super::picture::FirstLayer;
use super::record::{Facts, Record};
use crate::checkpoint::weights_sha256;
use crate::config::{Setting, Settings, Value};
use crate::device::SelftestSummary;
use crate::error::{Error, ErrorKind, Result};
use crate::run::{DataFiles, event};
use crate::text::human::{count, duration, figure, percentage, span};
use crate::train::{Epoch, Measurement};

const PAGE: &str = include_str!("page/page.html");
const BODY: &str = include_str!("page/body.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");
const WATCH: &str = include_str!("page/watch.js");

/// Start of the page's numbers. They end at `</script>`.
pub(super) const DATA_START: &str = "<script type=\"application/json\" id=\"data\">";

/// Columns of the table of epochs.
const COLUMNS: [Column; 14] = [
    column("epoch", "epoch", |epoch| epoch.epoch.to_string()),
    column("step", "step", |epoch| epoch.step.to_string()),
    column("train loss", "train_loss", |epoch| figure(epoch.train_loss)),
    column("train accuracy", "train_accuracy", |epoch| percentage(epoch.train_accuracy)),
    validation("validation loss", "validation_loss", |figures| figure(figures.loss)),
    validation("validation accuracy", "validation_accuracy", |figures| percentage(figures.accuracy)),
    column("test loss", "test_loss", |epoch| figure(epoch.test_loss)),
    column("test accuracy", "test_accuracy", |epoch| percentage(epoch.test_accuracy)),
    column("train cross-entropy", "train_cross_entropy", |epoch| figure(epoch.train_cross_entropy)),
    validation("validation cross-entropy", "validation_cross_entropy", |figures| {
        figure(figures.cross_entropy)
    }),
    column("test cross-entropy", "test_cross_entropy", |epoch| figure(epoch.test_cross_entropy)),
    column("learning rate", "learning_rate", |epoch| figure(epoch.learning_rate)),
    column("seconds", "seconds", |epoch| duration(epoch.seconds)),
    column("images/s", "images_per_second", |epoch| count(epoch.images_per_second.round() as u64)),
];

#[derive(Clone, Copy, Serialize)]
struct Column {
    title: &'static str,
    key: &'static str,
    #[serde(skip)]
    text: Text,
}

/// The source of a column's text.
#[derive(Clone, Copy)]
enum Text {
    OfEpoch(fn(&Epoch) -> String),
    /// Only in runs with validation images.
    OfValidation(fn(&Measurement) -> String),
}

const fn column(title: &'static str, key: &'static str, text: fn(&Epoch) -> String) -> Column {
    Column { title, key, text: Text::OfEpoch(text) }
}

const fn validation(title: &'static str, key: &'static str, text: fn(&Measurement) -> String) -> Column {
    Column { title, key, text: Text::OfValidation(text) }
}

/// How a page is viewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageMode {
    /// As a file, at any time.
    Saved,
    /// In the dashboard, which updates the page while the run trains.
    Live {
        /// Version of the page's body.
        version: u64,
    },
}

#[derive(Serialize)]
struct Headline {
    label: &'static str,
    value: String,
    /// Lines below the figure.
    notes: Vec<String>,
}

/// A list of names and values.
#[derive(Serialize)]
struct Listing {
    title: &'static str,
    entries: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Layer {
    caption: String,
    units: Vec<picture::Unit>,
}

/// Renders the page around a body.
pub(super) fn page(name: &str, body: &str, occasion: PageMode) -> Result<String> {
    let version = match occasion {
        PageMode::Saved => None,
        PageMode::Live { version } => Some(version),
    };
    render(
        "page.html",
        PAGE,
        context! { style => STYLE, script => SCRIPT, watch => WATCH, name, body, version },
    )
}

/// Renders the contents of the page's `<main>` element.
pub(super) fn body(report: &Report<'_>) -> Result<String> {
    let record = report.record;
    let weights_sha256 = report.model.map(|model| weights_sha256(&model.tensors));
    let examination = examination(report);
    let without_test = match &report.findings {
        Findings::Missing(why) => Some(why),
        Findings::Made(_) | Findings::Pending => None,
    };
    let columns: Vec<_> = COLUMNS.into_iter().filter(|column| column.is_of(record)).collect();
    let context = context! {
        name => record.name,
        facts => record.facts,
        summary => summary(record),
        headline => headline(record, examination),
        last_epoch => last_epoch(record),
        charts => charts(record),
        best_epoch => record.best().map(|best| best.epoch),
        criterion => record.criterion(),
        rows => rows(record, &columns),
        columns,
        test => examination.map(|examination| View::of(examination, weights_sha256.as_deref())),
        without_test,
        layer => layer(report)?,
        origin => origin(report, weights_sha256.as_deref()),
        data_start => DATA_START,
        data => data(report, weights_sha256.as_deref())?,
    };
    render("body.html", BODY, context)
}

/// Returns the evaluation of the model, if there is one.
fn examination<'a>(report: &'a Report<'_>) -> Option<&'a Examination> {
    match &report.findings {
        Findings::Made(examination) => Some(examination),
        Findings::Pending | Findings::Missing(_) => None,
    }
}

fn render(name: &str, template: &str, context: minijinja::Value) -> Result<String> {
    let failed = |cause| Error::new(ErrorKind::Internal, format!("cannot write the report: {cause}"));
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.set_trim_blocks(true);
    templates.set_lstrip_blocks(true);
    templates.render_named_str(name, template, context).map_err(failed)
}

/// Summarises the run in one sentence.
fn summary(record: &Record) -> String {
    let facts = &record.facts;
    let [channels, height, width] = facts.dataset.shape;
    let images = count(facts.dataset.train as u64);
    let validation = match facts.dataset.validation {
        0 => String::new(),
        images => format!(", with {} more for validation,", count(images as u64)),
    };
    let epochs = match record.epochs.len() {
        1 => "one epoch".into(),
        many => format!("{many} epochs"),
    };
    let seconds = record.epochs.iter().map(|epoch| epoch.seconds).sum();
    format!(
        "{} parameters, trained on {images} images of {channels}×{height}×{width}{validation} for {epochs} in {} on {}.",
        count(facts.parameters),
        span(seconds),
        facts.device.name,
    )
}

/// Returns the figures of the best epoch and of the whole run.
fn headline(record: &Record, examination: Option<&Examination>) -> Vec<Headline> {
    let Some(best) = record.best() else { return Vec::new() };
    let seconds: f64 = record.epochs.iter().map(|epoch| epoch.seconds).sum();
    let images: f64 = record.epochs.iter().map(|epoch| epoch.seconds * epoch.images_per_second).sum();
    let number = best.epoch;
    let of_best = |label, accuracy, loss, which: String| Headline {
        label,
        value: percentage(accuracy),
        notes: vec![which, format!("loss {}", figure(loss))],
    };
    let chosen = format!("epoch {number}, best by {}", record.criterion());
    let mut test = of_best("Test accuracy", best.test_accuracy, best.test_loss, chosen);
    if let Some((class, fraction)) = examination.and_then(Examination::majority) {
        test.notes.push(format!("always predicting “{class}”: {}", percentage(fraction)));
    }
    let mut headline = vec![test];
    if let Some(Measurement { accuracy, loss, .. }) = best.validation {
        headline.push(of_best("Validation accuracy", accuracy, loss, format!("epoch {number}")));
    }
    let (accuracy, loss) = (best.train_accuracy, best.train_loss);
    headline.push(of_best("Train accuracy", accuracy, loss, format!("epoch {number}")));
    headline.push(Headline {
        label: "Training time",
        value: span(seconds),
        notes: vec![format!("{} per epoch", span(seconds / record.epochs.len() as f64))],
    });
    headline.push(Headline {
        label: "Images per second",
        value: count((images / seconds.max(1e-9)).round() as u64),
        notes: vec!["while training".into()],
    });
    headline
}

/// Describes the last epoch in a sentence, if another one is the best.
fn last_epoch(record: &Record) -> Option<String> {
    let (best, last) = (record.best()?, record.epochs.last()?);
    let figures =
        |which, accuracy, loss| format!("{which} accuracy {} (loss {})", percentage(accuracy), figure(loss));
    let test = figures("test", last.test_accuracy, last.test_loss);
    let validation = last.validation.map_or(String::new(), |Measurement { accuracy, loss, .. }| {
        format!(", {}", figures("validation", accuracy, loss))
    });
    let train = figures("train", last.train_accuracy, last.train_loss);
    (best.epoch != last.epoch)
        .then(|| format!("After the last epoch, {}: {test}{validation}, {train}.", last.epoch))
}

impl Column {
    /// Whether the epochs of a run have such values.
    fn is_of(&self, record: &Record) -> bool {
        matches!(self.text, Text::OfEpoch(_)) || record.has_validation()
    }

    fn text(&self, epoch: &Epoch) -> String {
        match self.text {
            Text::OfEpoch(text) => text(epoch),
            Text::OfValidation(text) => epoch.validation.as_ref().map(text).unwrap_or_default(),
        }
    }
}

/// Returns the text of every column for every epoch.
fn rows(record: &Record, columns: &[Column]) -> Vec<BTreeMap<&'static str, String>> {
    let row = |epoch| columns.iter().map(|column| (column.key, column.text(epoch))).collect();
    record.epochs.iter().map(row).collect()
}

fn layer(report: &Report<'_>) -> Result<Option<Layer>> {
    let Some(model) = report.model else { return Ok(None) };
    let Some(FirstLayer { units, count, window }) = picture::of_first_layer(model)? else { return Ok(None) };
    let kind = match window {
        Some([height, width]) => format!("filters of {height}x{width}"),
        None => "units".into(),
    };
    let which = if units.len() < count {
        format!("The {} of {count} {kind} with the largest weights", units.len())
    } else {
        format!("All {count} {kind}")
    };
    let colours = match report.record.facts.dataset.shape[0] {
        3 => "Grey is zero",
        _ => "Green weights are positive, red weights are negative",
    };
    Ok(Some(Layer {
        caption: format!("{which}, drawn as images. {colours}; each image has its own scale."),
        units,
    }))
}

/// Returns the configuration and the environment of the run.
fn origin(report: &Report<'_>, weights_sha256: Option<&str>) -> Vec<Listing> {
    let entry = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let record = report.record;
    let facts = &record.facts;
    let settings = record.settings.iter().map(|(key, Setting { value, .. })| match value {
        Value::Text(text) => entry(key.name(), text),
        other => entry(key.name(), &other.to_string()),
    });
    let device = &facts.device;
    let mut machine = vec![
        entry("device", &device.name),
        entry("backend", &device.backend),
        entry("driver", &device.driver),
        entry("selftest", &device.selftest.as_ref().map(selftest).unwrap_or_default()),
        entry("system", &facts.system),
        entry("shadegrad", &facts.shadegrad),
        entry("command", &command(&facts.arguments)),
    ];
    machine.push(entry("data files", &data_files(&facts.data_files)));
    if let Some(sha256) = weights_sha256 {
        machine.push(entry("weights", &shortened(sha256)));
    }
    machine.retain(|(_, value)| !value.is_empty());
    vec![
        Listing { title: "Configuration", entries: settings.collect() },
        Listing { title: "Machine and data", entries: machine },
    ]
}

fn selftest(SelftestSummary { date, checks, failures, disabled }: &SelftestSummary) -> String {
    match disabled[..] {
        [] => format!("{} of {checks} checks passed on {date}", checks - failures),
        _ => format!(
            "{} of {checks} checks passed on {date}; without {}",
            checks - failures,
            disabled.join(", ")
        ),
    }
}

/// Describes the files in one line, however many there are.
fn data_files(files: &DataFiles) -> String {
    let place = files.folder.as_ref().map_or(String::new(), |folder| format!(" in {folder}"));
    format!("{}{place}, {}", count(files.count as u64), shortened(&files.sha256))
}

/// Shortens a hash to a length that is sufficient for comparing it with another.
fn shortened(sha256: &str) -> String {
    format!("sha256 {}…", sha256.get(..16).unwrap_or(sha256))
}

/// Returns the command as it was typed, without the folder of the program.
fn command(arguments: &[String]) -> String {
    let (program, rest) = arguments.split_first().map_or(("", &[][..]), |(program, rest)| (program, rest));
    [&[file_name(program).to_owned()], rest].concat().join(" ")
}

/// Returns all numbers as JSON that is safe in a `script` element, which only `<` could end.
fn data(report: &Report<'_>, weights_sha256: Option<&str>) -> Result<String> {
    #[derive(Serialize)]
    struct Data<'a> {
        schema: u32,
        run: &'a str,
        facts: &'a Facts,
        config: &'a Settings,
        epochs: &'a [Epoch],
        test: Option<Numbers<'a>>,
        /// Hash of the model that is shown.
        weights_sha256: Option<&'a str>,
    }
    let Record { name, facts, settings, epochs, .. } = report.record;
    let test = examination(report).map(Examination::numbers);
    let data =
        Data { schema: event::SCHEMA, run: name, facts, config: settings, epochs, test, weights_sha256 };
    let json = serde_json::to_string(&data).map_err(|cause| {
        Error::new(ErrorKind::Internal, format!("cannot write the report's numbers: {cause}"))
    })?;
    Ok(json.replace('<', "\\u003c"))
}
