//! The evaluation of a model as text for the page: confusion matrix, classes and mistakes.

use serde::Serialize;

use super::examination::{Examination, ShownMistake};
use crate::text::human::{count, figure, percentage};
use crate::train::{ClassReport, Confusion, Evaluation, Mistake};

/// Maximum number of classes whose confusion matrix is a table. Larger matrices are drawn as a
/// picture.
const MOST_IN_TABLE: usize = 20;

/// Number of confusions that are listed.
const CONFUSIONS: usize = 6;

/// Opacity above which a cell's text is shown in the background colour for contrast.
const STRONG: f64 = 0.8;

/// Number of opacities in the picture of the confusion matrix.
const SHADES: usize = 8;

/// The text of the page.
#[derive(Serialize)]
pub(super) struct View<'a> {
    checkpoint: &'a str,
    /// Whether the run has a newer best checkpoint.
    outdated: bool,
    images: String,
    loss: String,
    accuracy: String,
    /// The most frequent class, and the accuracy of always predicting it.
    majority: Option<(&'a str, String)>,
    classes: Vec<ClassRow<'a>>,
    /// The confusion matrix, if there are few classes.
    matrix: Option<Vec<Vec<Cell>>>,
    /// The confusion matrix, if there are many classes.
    mosaic: Option<Vec<Shade>>,
    confusions: Vec<ConfusionRow<'a>>,
    mistakes: Vec<MistakeRow<'a>>,
}

#[derive(Serialize)]
struct ClassRow<'a> {
    name: &'a str,
    precision: String,
    recall: String,
    f1: String,
    /// Whether no class has a lower F1.
    weakest: bool,
    images: String,
}

#[derive(Serialize)]
struct Cell {
    /// CSS class: `hit`, `miss` or `none`, with `strong` if the colour is.
    kind: &'static str,
    /// Opacity of the colour, from 0 to 1.
    strength: f64,
    text: String,
    title: String,
}

/// All cells with the same opacity, as a path of unit squares.
#[derive(Serialize)]
struct Shade {
    opacity: f64,
    hits: String,
    misses: String,
}

#[derive(Serialize)]
struct ConfusionRow<'a> {
    count: String,
    class: &'a str,
    answer: &'a str,
}

#[derive(Serialize)]
struct MistakeRow<'a> {
    picture: &'a str,
    image: usize,
    /// The image's file, and its file name.
    file: Option<&'a str>,
    name: Option<&'a str>,
    class: &'a str,
    answer: &'a str,
    confidence: String,
    loss: String,
}

impl<'a> View<'a> {
    /// Builds the view. `weights_sha256` is that of the run's best checkpoint.
    pub(super) fn of(examination: &'a Examination, weights_sha256: Option<&str>) -> Self {
        let Examination { checkpoint, evaluation, mistakes, .. } = examination;
        let few = evaluation.classes.len() <= MOST_IN_TABLE;
        View {
            checkpoint,
            outdated: weights_sha256.is_some_and(|best| best != examination.weights_sha256),
            images: count(evaluation.images()),
            loss: figure(evaluation.loss),
            accuracy: percentage(evaluation.accuracy),
            majority: examination.majority().map(|(class, accuracy)| (class, percentage(accuracy))),
            classes: class_rows(evaluation),
            matrix: few.then(|| matrix(evaluation)),
            mosaic: (!few).then(|| mosaic(evaluation)),
            confusions: confusions(evaluation),
            mistakes: mistakes.iter().map(|shown| mistake(evaluation, shown)).collect(),
        }
    }
}

fn mistake<'a>(evaluation: &'a Evaluation, shown: &'a ShownMistake) -> MistakeRow<'a> {
    let Mistake { image, class, answer, confidence, loss } = shown.mistake;
    let [class, answer] = [class, answer].map(|class| evaluation.classes[class].as_str());
    MistakeRow {
        picture: &shown.picture,
        image,
        file: shown.file.as_deref(),
        name: shown.file.as_deref().map(file_name),
        class,
        answer,
        // The probability is below 1, so it is never shown as 100 %.
        confidence: format!("{:.0}%", (100.0 * confidence).min(99.0)),
        loss: figure(loss),
    }
}

/// Returns the last part of a path of any operating system.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn class_rows<'a>(evaluation: &'a Evaluation) -> Vec<ClassRow<'a>> {
    let reports = evaluation.class_reports();
    let lowest = reports.iter().filter_map(|report| report.f1).fold(f64::INFINITY, f64::min);
    let text =
        |fraction: Option<f64>| fraction.map_or("–".into(), |fraction| format!("{:.1}%", 100.0 * fraction));
    let row = |report: ClassReport<'a>| ClassRow {
        name: report.name,
        precision: text(report.precision),
        recall: text(report.recall),
        f1: text(report.f1),
        weakest: report.f1 == Some(lowest),
        images: count(report.images),
    };
    reports.into_iter().map(row).collect()
}

/// Returns the confusion matrix. The opacity of a cell is its fraction of the row. Mistakes are
/// rare and therefore shown stronger.
fn matrix(evaluation: &Evaluation) -> Vec<Vec<Cell>> {
    let classes = &evaluation.classes;
    let cell = |class: usize, answer: usize, number: u64, fraction: f64| {
        let strength = if class == answer { fraction } else { fraction.sqrt() };
        let kind = match (number, class == answer) {
            (0, _) => "none",
            (_, true) if strength > STRONG => "hit strong",
            (_, true) => "hit",
            (_, false) if strength > STRONG => "miss strong",
            (_, false) => "miss",
        };
        let text = if number == 0 { "·".into() } else { number.to_string() };
        let title = format!(
            "{} predicted as {}: {number}, {}",
            classes[class],
            classes[answer],
            percentage(fraction)
        );
        Cell { kind, strength: round(strength), text, title }
    };
    each_cell(evaluation, cell)
}

/// Returns the cells of the confusion matrix, grouped by opacity.
fn mosaic(evaluation: &Evaluation) -> Vec<Shade> {
    let opacity = |index: usize| (index + 1) as f64 / SHADES as f64;
    let mut shades: Vec<_> = (0..SHADES)
        .map(|index| Shade { opacity: opacity(index), hits: String::new(), misses: String::new() })
        .collect();
    each_cell(evaluation, |class, answer, number, fraction| {
        if number > 0 {
            let strength = if class == answer { fraction } else { fraction.sqrt() };
            let shade = &mut shades[((strength * SHADES as f64).ceil() as usize).clamp(1, SHADES) - 1];
            let squares = if class == answer { &mut shade.hits } else { &mut shade.misses };
            squares.push_str(&format!("M{answer} {class}h1v1h-1z"));
        }
    });
    shades
}

/// Calls `make` with each class, prediction, count and fraction of the class.
fn each_cell<T>(evaluation: &Evaluation, mut make: impl FnMut(usize, usize, u64, f64) -> T) -> Vec<Vec<T>> {
    let mut rows = Vec::new();
    for (class, row) in evaluation.confusion.iter().enumerate() {
        let whole = row.iter().sum::<u64>().max(1) as f64;
        let cells = row.iter().enumerate();
        rows.push(
            cells.map(|(answer, &number)| make(class, answer, number, number as f64 / whole)).collect(),
        );
    }
    rows
}

fn confusions(evaluation: &Evaluation) -> Vec<ConfusionRow<'_>> {
    let row = |Confusion { count: number, class, answer }| {
        let [class, answer] = [class, answer].map(|class: usize| evaluation.classes[class].as_str());
        ConfusionRow { count: count(number), class, answer }
    };
    evaluation.confusions().into_iter().take(CONFUSIONS).map(row).collect()
}

/// Rounds to a thousandth, which cannot be distinguished by eye.
fn round(value: f64) -> f64 {
    (1000.0 * value).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nine of ten images of each class are correct, and the others are predicted as the class
    /// before.
    fn evaluation(classes: usize) -> Evaluation {
        let mut confusion = vec![vec![0; classes]; classes];
        for (class, row) in confusion.iter_mut().enumerate() {
            row[class] = 9;
            row[(class + classes - 1) % classes] = 1;
        }
        let classes = (0..classes).map(|class| format!("class {class}")).collect();
        Evaluation { loss: 0.1, accuracy: 0.9, classes, confusion, mistakes: Vec::new() }
    }

    #[test]
    fn few_classes_are_a_table_of_numbers() {
        let rows = matrix(&evaluation(3));
        let texts = rows.iter().map(|row| row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>());
        assert_eq!(texts.collect::<Vec<_>>(), [["9", "·", "1"], ["1", "9", "·"], ["·", "1", "9"]]);
        let [hit, none, miss] = &rows[0][..] else { panic!("there are three classes") };
        assert_eq!((hit.kind, hit.strength), ("hit strong", 0.9));
        assert_eq!((none.kind, none.strength), ("none", 0.0));
        assert_eq!((miss.kind, miss.strength), ("miss", 0.316));
        assert_eq!(miss.title, "class 0 predicted as class 2: 1, 10.00%");
    }

    #[test]
    fn many_classes_are_squares_by_how_strong_they_are() {
        let shades = mosaic(&evaluation(100));
        let squares = |paths: fn(&Shade) -> &str| -> Vec<usize> {
            shades.iter().map(|shade| paths(shade).matches('M').count()).collect()
        };
        // 0.9 of 8 shades is the last one, and the square root of 0.1 is the third.
        assert_eq!(squares(|shade| &shade.hits), [0, 0, 0, 0, 0, 0, 0, 100]);
        assert_eq!(squares(|shade| &shade.misses), [0, 0, 100, 0, 0, 0, 0, 0]);
        assert!(shades[2].misses.starts_with("M99 0h1v1h-1zM0 1h1v1h-1z"));
    }

    #[test]
    fn a_class_without_images_has_no_shares() {
        let mut evaluation = evaluation(2);
        evaluation.confusion = vec![vec![3, 1], vec![0, 0]];
        let rows = class_rows(&evaluation);
        assert_eq!((rows[1].recall.as_str(), rows[1].precision.as_str()), ("–", "0.0%"));
        assert!(rows[1].weakest && !rows[0].weakest);
        assert!(matrix(&evaluation)[1].iter().all(|cell| cell.kind == "none"));
    }
}
