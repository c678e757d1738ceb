//! Prints an evaluation as tables or as JSON.

use serde::Serialize;

use super::output;
use super::style::Style;
use super::tta::TtaName;
use crate::device::DeviceInfo;
use crate::error::Result;
use crate::text::human::percentage;
use crate::train::{ClassReport, Confusion, Evaluation};

/// Maximum number of classes for which the confusion matrix is shown. With more classes, the most
/// frequent confusions are listed.
const MOST_IN_MATRIX: usize = 20;

const LISTED: usize = 10;

/// The model, data and device of an evaluation.
#[derive(Serialize)]
pub(super) struct Subject<'a> {
    pub(super) model: String,
    pub(super) dataset: String,
    pub(super) split: &'static str,
    pub(super) tta: TtaName,
    pub(super) device: &'a DeviceInfo,
}

pub(super) fn print_json(subject: &Subject<'_>, evaluation: &Evaluation) -> Result<()> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(flatten)]
        subject: &'a Subject<'a>,
        loss: f64,
        accuracy: f64,
        /// Accuracy of always predicting the most frequent class.
        majority_accuracy: Option<f64>,
        images: u64,
        classes: Vec<ClassReport<'a>>,
        confusion: &'a [Vec<u64>],
    }
    let Evaluation { loss, accuracy, confusion, .. } = evaluation;
    let body = Body {
        subject,
        loss: *loss,
        accuracy: *accuracy,
        majority_accuracy: evaluation.majority().map(|majority| majority.share),
        images: evaluation.images(),
        classes: evaluation.class_reports(),
        confusion,
    };
    output::print_json("evaluation", &body)
}

/// Prints the totals, one row per class, and the confusions.
pub(super) fn print_tables(subject: &Subject<'_>, evaluation: &Evaluation) -> Result<()> {
    let style = Style::of_stdout();
    let (reports, images) = (evaluation.class_reports(), evaluation.images());
    let views = match subject.tta {
        TtaName::None => None,
        TtaName::Mirror => Some("2 views per image (flip)"),
        TtaName::MirrorShifts => Some("6 views per image (flip and shift)"),
    };
    let mut lines = vec![
        ("device", format!("{} ({})", subject.device.name, subject.device.backend)),
        ("data", format!("{}, {images} {} images", subject.dataset, subject.split)),
        ("model", subject.model.clone()),
        ("loss", format!("{:.4}", evaluation.loss)),
        ("accuracy", style.strong(&format!("{:.2}%", 100.0 * evaluation.accuracy))),
    ];
    if let Some(majority) = evaluation.majority() {
        let (share, class) = (percentage(majority.share), &evaluation.classes[majority.class]);
        lines.push(("baseline", format!("{share}, always predicting {class}, the most frequent class")));
    }
    if let Some(views) = views {
        lines.insert(3, ("views", views.into()));
    }
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{} {value}\n", style.faint(&format!("{name:<9}"))));
    }
    text.push('\n');
    text.push_str(&class_table(&reports, style));
    text.push('\n');
    text.push_str(&if reports.len() <= MOST_IN_MATRIX {
        matrix(evaluation, style)
    } else {
        frequent_confusions(evaluation, style)
    });
    output::print(&text)
}

fn class_table(reports: &[ClassReport<'_>], style: Style) -> String {
    let width = reports.iter().map(|report| report.name.chars().count()).max().unwrap_or_default().max(5);
    let header =
        format!("{:<width$}  {:>9}  {:>7}  {:>7}  {:>7}", "class", "precision", "recall", "F1", "images");
    let mut text = format!("{}\n", style.strong(&header));
    let cell = |share: Option<f64>| share.map_or("-".into(), |share| format!("{:.2}%", 100.0 * share));
    for report in reports {
        let [precision, recall, f1] = [report.precision, report.recall, report.f1].map(cell);
        let (name, images) = (report.name, report.images);
        text.push_str(&format!("{name:<width$}  {precision:>9}  {recall:>7}  {f1:>7}  {images:>7}\n"));
    }
    text
}

/// Formats the confusion matrix: rows are true classes, columns are predicted classes.
fn matrix(evaluation: &Evaluation, style: Style) -> String {
    let Evaluation { classes, confusion, .. } = evaluation;
    let labels: Vec<String> =
        classes.iter().enumerate().map(|(class, name)| format!("{class} {name}")).collect();
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or_default().max(10);
    let most = confusion.iter().flatten().max().map(|most| most.to_string().len()).unwrap_or_default();
    let cell = most.max(2);
    let columns: Vec<String> = (0..classes.len()).map(|class| format!("{class:>cell$}")).collect();
    let header = format!("{:<width$}  {}", "true class", columns.join(" "));
    let mut text = format!("{}\n", style.strong(&header));
    for (class, (label, row)) in labels.iter().zip(confusion).enumerate() {
        let cells = row.iter().enumerate().map(|(answer, count)| match count {
            0 => style.faint(&format!("{:>cell$}", ".")),
            count if answer == class => style.good(&format!("{count:>cell$}")),
            count => format!("{count:>cell$}"),
        });
        text.push_str(&format!("{label:<width$}  {}\n", cells.collect::<Vec<_>>().join(" ")));
    }
    text
}

fn frequent_confusions(evaluation: &Evaluation, style: Style) -> String {
    let mut text = format!("{}\n", style.strong("most frequent confusions"));
    for Confusion { count, class, answer } in evaluation.confusions().into_iter().take(LISTED) {
        let [class, answer] = [class, answer].map(|class| &evaluation.classes[class]);
        text.push_str(&format!("{count:>7}  {class} predicted as {answer}\n"));
    }
    text
}
