//! An evaluation as tables and as JSON.

use serde::Serialize;

use super::output;
use super::style::Style;
use crate::device::DeviceInfo;
use crate::error::Result;
use crate::train::Evaluation;

/// Most classes whose confusions are shown as a matrix; of more, the most frequent ones are listed.
const MOST_IN_MATRIX: usize = 20;

/// How many confusions are listed.
const LISTED: usize = 10;

/// What was measured, with what, on what.
#[derive(Serialize)]
pub(super) struct Subject<'a> {
    pub(super) model: String,
    pub(super) dataset: String,
    pub(super) split: &'static str,
    pub(super) device: &'a DeviceInfo,
}

/// How well a model does on one class. Shares of nothing are `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ClassReport<'a> {
    name: &'a str,
    /// Of the images that were given this class, the share that is of it.
    precision: Option<f64>,
    /// Of the images of this class, the share that was given it.
    recall: Option<f64>,
    /// Harmonic mean of the two.
    f1: Option<f64>,
    /// Images of the class.
    images: u64,
}

fn class_reports<'a>(evaluation: &'a Evaluation) -> Vec<ClassReport<'a>> {
    let confusion = &evaluation.confusion;
    let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let report = |(class, name): (usize, &'a String)| {
        let hits = confusion[class][class];
        let images = confusion[class].iter().sum();
        let answers: u64 = confusion.iter().map(|row| row[class]).sum();
        ClassReport {
            name,
            precision: share(hits, answers),
            recall: share(hits, images),
            // 2 p r / (p + r) with p = hits / answers and r = hits / images.
            f1: share(2 * hits, answers + images),
            images,
        }
    };
    evaluation.classes.iter().enumerate().map(report).collect()
}

/// One JSON object.
pub(super) fn print_json(subject: &Subject<'_>, evaluation: &Evaluation) -> Result<()> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(flatten)]
        subject: &'a Subject<'a>,
        loss: f64,
        accuracy: f64,
        images: u64,
        classes: Vec<ClassReport<'a>>,
        confusion: &'a [Vec<u64>],
    }
    let Evaluation { loss, accuracy, confusion, .. } = evaluation;
    let body = Body {
        subject,
        loss: *loss,
        accuracy: *accuracy,
        images: confusion.iter().flatten().sum(),
        classes: class_reports(evaluation),
        confusion,
    };
    output::print_json("evaluation", &body)
}

/// A few lines, a row a class, and what is taken for what.
pub(super) fn print_tables(subject: &Subject<'_>, evaluation: &Evaluation) -> Result<()> {
    let style = Style::of_stdout();
    let reports = class_reports(evaluation);
    let images: u64 = reports.iter().map(|report| report.images).sum();
    let lines = [
        ("device", format!("{} ({})", subject.device.name, subject.device.backend)),
        ("data", format!("{}, {images} {} images", subject.dataset, subject.split)),
        ("model", subject.model.clone()),
        ("loss", format!("{:.4}", evaluation.loss)),
        ("accuracy", style.strong(&format!("{:.2}%", 100.0 * evaluation.accuracy))),
    ];
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

/// Rows are true classes, columns are answers.
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
    let Evaluation { classes, confusion, .. } = evaluation;
    let mut mistakes: Vec<(u64, usize, usize)> = Vec::new();
    for (class, row) in confusion.iter().enumerate() {
        let wrong = row.iter().enumerate().filter(|(answer, count)| *answer != class && **count > 0);
        mistakes.extend(wrong.map(|(answer, count)| (*count, class, answer)));
    }
    // The most frequent first, equals in the order of the classes.
    mistakes.sort_by_key(|(count, class, answer)| (std::cmp::Reverse(*count), *class, *answer));
    let mut text = format!("{}\n", style.strong("most frequent confusions"));
    for (count, class, answer) in mistakes.into_iter().take(LISTED) {
        text.push_str(&format!("{count:>7}  {} taken for {}\n", classes[class], classes[answer]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation() -> Evaluation {
        Evaluation {
            loss: 0.5,
            accuracy: 0.7,
            classes: vec!["cat".into(), "dog".into(), "eel".into()],
            confusion: vec![vec![3, 1, 0], vec![2, 4, 0], vec![0, 0, 0]],
        }
    }

    #[test]
    fn shares_are_those_of_the_confusion_matrix() {
        let evaluation = evaluation();
        let reports = class_reports(&evaluation);
        let cat = &reports[0];
        assert_eq!((cat.precision, cat.recall, cat.images), (Some(0.6), Some(0.75), 4));
        let f1 = 2.0 * 0.6 * 0.75 / (0.6 + 0.75);
        assert!((cat.f1.expect("there are cats") - f1).abs() < 1e-12);
        let eel = &reports[2];
        assert_eq!((eel.precision, eel.recall, eel.f1, eel.images), (None, None, None, 0));
    }

    #[test]
    fn mistakes_are_listed_by_how_often_they_are_made() {
        let text = frequent_confusions(&evaluation(), Style::of_stdout());
        let dog = text.find("dog taken for cat").expect("it is listed");
        assert!(dog < text.find("cat taken for dog").expect("it is listed"), "{text}");
    }
}
