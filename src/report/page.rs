//! From what is known about a run to HTML: the figures as text, and the templates around them.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::Serialize;

use super::chart::{Chart, Scale, Series};
use super::examination::Numbers;
use super::picture::FirstLayer;
use super::record::{Facts, Record};
use super::{Findings, Report, picture};
use crate::config::{Setting, Settings, Value};
use crate::device::Selftested;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{count, duration, figure, percentage, span};
use crate::run::{event, weights_sha256};
use crate::train::Epoch;

const PAGE: &str = include_str!("page/page.html");
const BODY: &str = include_str!("page/body.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");
const WATCH: &str = include_str!("page/watch.js");

/// The columns of the table of epochs.
const COLUMNS: [Column; 11] = [
    Column { title: "epoch", key: "epoch", text: |epoch| epoch.epoch.to_string() },
    Column { title: "step", key: "step", text: |epoch| epoch.step.to_string() },
    Column { title: "train loss", key: "train_loss", text: |epoch| figure(epoch.train_loss) },
    Column { title: "train accuracy", key: "train_accuracy", text: |epoch| percentage(epoch.train_accuracy) },
    Column { title: "test loss", key: "test_loss", text: |epoch| figure(epoch.test_loss) },
    Column { title: "test accuracy", key: "test_accuracy", text: |epoch| percentage(epoch.test_accuracy) },
    Column {
        title: "train cross-entropy",
        key: "train_cross_entropy",
        text: |epoch| figure(epoch.train_cross_entropy),
    },
    Column {
        title: "test cross-entropy",
        key: "test_cross_entropy",
        text: |epoch| figure(epoch.test_cross_entropy),
    },
    Column { title: "learning rate", key: "learning_rate", text: |epoch| figure(epoch.learning_rate) },
    Column { title: "seconds", key: "seconds", text: |epoch| duration(epoch.seconds) },
    Column {
        title: "images/s",
        key: "images_per_second",
        text: |epoch| count(epoch.images_per_second.round() as u64),
    },
];

#[derive(Serialize)]
struct Column {
    title: &'static str,
    key: &'static str,
    #[serde(skip)]
    text: fn(&Epoch) -> String,
}

/// Who looks at a page, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Somebody who opens the file, whenever that is.
    Kept,
    /// Somebody who watches the run: the page changes with it.
    Live {
        /// Of the page's body.
        version: u64,
    },
}

/// A figure that everybody wants to know.
#[derive(Serialize)]
struct Headline {
    label: &'static str,
    value: String,
    note: String,
}

/// Names and values.
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

/// The page around a body.
pub(super) fn page(name: &str, body: &str, occasion: Occasion) -> Result<String> {
    let version = match occasion {
        Occasion::Kept => None,
        Occasion::Live { version } => Some(version),
    };
    render(
        "page.html",
        PAGE,
        context! { style => STYLE, script => SCRIPT, watch => WATCH, name, body, version },
    )
}

/// What is between the page's `<main>` and its end.
pub(super) fn body(report: &Report<'_>) -> Result<String> {
    let record = report.record;
    let (test, without_test) = match &report.findings {
        Findings::Made(examination) => (Some(examination.view()?), ""),
        Findings::Missing(why) => (None, why.as_str()),
    };
    let context = context! {
        name => record.name,
        facts => record.facts,
        summary => summary(record),
        headline => headline(record),
        charts => charts(record),
        columns => COLUMNS,
        rows => rows(record),
        test,
        without_test,
        layer => layer(report)?,
        origin => origin(report),
        data => data(report)?,
    };
    render("body.html", BODY, context)
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

/// One sentence.
fn summary(record: &Record) -> String {
    let facts = &record.facts;
    let [channels, height, width] = facts.dataset.shape;
    let images = count(facts.dataset.train as u64);
    let epochs = match record.epochs.len() {
        1 => "one epoch".into(),
        many => format!("{many} epochs"),
    };
    let seconds = record.epochs.iter().map(|epoch| epoch.seconds).sum();
    format!(
        "{} parameters, trained on {images} images of {channels}×{height}×{width} for {epochs} in {} on {}.",
        count(facts.parameters),
        span(seconds),
        facts.device.name,
    )
}

fn headline(record: &Record) -> Vec<Headline> {
    let (Some(best), Some(last)) = (record.best(), record.epochs.last()) else { return Vec::new() };
    let seconds: f64 = record.epochs.iter().map(|epoch| epoch.seconds).sum();
    let images: f64 = record.epochs.iter().map(|epoch| epoch.seconds * epoch.images_per_second).sum();
    let epochs = record.epochs.len();
    let place = format!("after epoch {}", best.epoch);
    let gap = percentage(last.train_accuracy);
    vec![
        Headline { label: "Test accuracy", value: percentage(best.test_accuracy), note: place },
        Headline { label: "Test loss", value: figure(best.test_loss), note: "after the same epoch".into() },
        Headline { label: "Train accuracy", value: gap, note: "over the last epoch".into() },
        Headline {
            label: "Training time",
            value: span(seconds),
            note: format!("{} an epoch", span(seconds / epochs as f64)),
        },
        Headline {
            label: "Images a second",
            value: count((images / seconds.max(1e-9)).round() as u64),
            note: "while training".into(),
        },
    ]
}

fn charts(record: &Record) -> Vec<Chart> {
    let draw =
        |title, scale, series: &[Series]| Chart::draw(title, scale, series, &record.epochs, record.best());
    vec![
        draw(
            "Loss",
            Scale::Range,
            &[
                Series { name: "train", key: "train_loss", value: |epoch| epoch.train_loss },
                Series { name: "test", key: "test_loss", value: |epoch| epoch.test_loss },
            ],
        ),
        draw(
            "Accuracy",
            Scale::Percent,
            &[
                Series { name: "train", key: "train_accuracy", value: |epoch| epoch.train_accuracy },
                Series { name: "test", key: "test_accuracy", value: |epoch| epoch.test_accuracy },
            ],
        ),
        draw(
            "Learning rate",
            Scale::FromZero,
            &[Series { name: "rate", key: "learning_rate", value: |epoch| epoch.learning_rate }],
        ),
        draw(
            "Images a second",
            Scale::FromZero,
            &[Series { name: "pace", key: "images_per_second", value: |epoch| epoch.images_per_second }],
        ),
    ]
}

/// The text of every figure of every epoch.
fn rows(record: &Record) -> Vec<BTreeMap<&'static str, String>> {
    let row = |epoch| COLUMNS.iter().map(|column| (column.key, (column.text)(epoch))).collect();
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
        3 => "grey is zero, and each has a scale of its own",
        _ => "green attracts, red repels, and each has a scale of its own",
    };
    Ok(Some(Layer { caption: format!("{which}, as what each looks for in an image: {colours}."), units }))
}

/// Where the run comes from: what was asked for, and what it ran on.
fn origin(report: &Report<'_>) -> Vec<Listing> {
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
    for (path, sha256) in &facts.files_sha256 {
        machine.push(entry(file_name(path), &shortened(sha256)));
    }
    if let Some(model) = report.model {
        machine.push(entry("weights", &shortened(&weights_sha256(&model.tensors))));
    }
    machine.retain(|(_, value)| !value.is_empty());
    vec![
        Listing { title: "Configuration", entries: settings.collect() },
        Listing { title: "Machine and data", entries: machine },
    ]
}

fn selftest(Selftested { date, checks, failures, without }: &Selftested) -> String {
    match without[..] {
        [] => format!("{} of {checks} checks passed on {date}", checks - failures),
        _ => format!(
            "{} of {checks} checks passed on {date}; without {}",
            checks - failures,
            without.join(", ")
        ),
    }
}

/// Enough of a hash to compare it with another.
fn shortened(sha256: &str) -> String {
    format!("sha256 {}…", sha256.get(..16).unwrap_or(sha256))
}

/// As somebody typed it: without the folder of the program.
fn command(arguments: &[String]) -> String {
    let (program, rest) = arguments.split_first().map_or(("", &[][..]), |(program, rest)| (program, rest));
    [&[file_name(program).to_owned()], rest].concat().join(" ")
}

/// The last part of a path, of this system or another.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Everything as JSON that is safe inside a `script` element: in there, only `<` could end it.
fn data(report: &Report<'_>) -> Result<String> {
    #[derive(Serialize)]
    struct Data<'a> {
        schema: u32,
        run: &'a str,
        facts: &'a Facts,
        config: &'a Settings,
        epochs: &'a [Epoch],
        test: Option<Numbers<'a>>,
        /// Of the model that is shown.
        weights_sha256: Option<String>,
    }
    let Record { name, facts, settings, epochs } = report.record;
    let test = match &report.findings {
        Findings::Made(examination) => Some(examination.numbers()),
        Findings::Missing(_) => None,
    };
    let weights_sha256 = report.model.map(|model| weights_sha256(&model.tensors));
    let data =
        Data { schema: event::SCHEMA, run: name, facts, config: settings, epochs, test, weights_sha256 };
    let json = serde_json::to_string(&data).map_err(|cause| {
        Error::new(ErrorKind::Internal, format!("cannot write the report's numbers: {cause}"))
    })?;
    Ok(json.replace('<', "\\u003c"))
}
