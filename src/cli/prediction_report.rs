//! Prints predictions as a table or as JSON Lines.

use serde::Serialize;

use super::output;
use super::style::Style;
use crate::error::Result;
use crate::text::sanitize::one_line;

/// Maximum number of characters of a file name in the table.
const MOST_OF_A_NAME: usize = 200;

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Prediction<'a> {
    image: &'a str,
    /// The most probable class; the first one in a tie.
    class: &'a str,
    probability: f64,
    /// The most probable classes, including the first.
    top: Vec<Answer<'a>>,
}

/// A class and its probability.
#[derive(Debug, PartialEq, Serialize)]
struct Answer<'a> {
    class: &'a str,
    probability: f64,
}

impl<'a> Prediction<'a> {
    /// Creates a prediction with the `most` most probable classes, at least one.
    pub(super) fn new(image: &'a str, logits: &[f32], classes: &'a [String], most: usize) -> Self {
        let probabilities = softmax(logits);
        let mut top: Vec<Answer<'a>> = (classes.iter().zip(probabilities))
            .map(|(class, probability)| Answer { class, probability })
            .collect();
        // A stable sort keeps ties in the order of the classes.
        top.sort_by(|one, other| other.probability.total_cmp(&one.probability));
        top.truncate(most.max(1));
        let Answer { class, probability } = top[0];
        Prediction { image, class, probability, top }
    }
}

fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// Prints one line per image.
pub(super) fn print_json(predictions: &[Prediction<'_>]) -> Result<()> {
    predictions.iter().try_for_each(|prediction| output::print_json("prediction", prediction))
}

/// Prints one row per class. The first row of an image has its name.
pub(super) fn print_table(predictions: &[Prediction<'_>]) -> Result<()> {
    let style = Style::of_stdout();
    let width = |text: &str| text.chars().count();
    let answers = || predictions.iter().flat_map(|prediction| &prediction.top);
    // The names may come from a pattern such as `*.jpg`, so control characters are escaped.
    let names: Vec<String> =
        predictions.iter().map(|prediction| one_line(prediction.image, MOST_OF_A_NAME)).collect();
    let images = names.iter().map(|name| width(name)).max().unwrap_or_default().max(5);
    let classes = answers().map(|answer| width(answer.class)).max().unwrap_or_default().max(5);
    let header = format!("{:<images$}  {:<classes$}  {:>11}", "image", "class", "probability");
    let mut text = format!("{}\n", style.strong(&header));
    for (prediction, name) in predictions.iter().zip(&names) {
        for (index, answer) in prediction.top.iter().enumerate() {
            let image = if index == 0 { name } else { "" };
            let class = format!("{:<classes$}", answer.class);
            let class = if index == 0 { style.good(&class) } else { class };
            let probability = format!("{:.2}%", 100.0 * answer.probability);
            text.push_str(&format!("{image:<images$}  {class}  {probability:>11}\n"));
        }
    }
    output::print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes() -> Vec<String> {
        ["ant", "bee", "cat"].map(String::from).into()
    }

    #[test]
    fn the_most_probable_comes_first_and_equals_keep_their_order() {
        let classes = classes();
        let top = |logits: &[f32]| {
            let prediction = Prediction::new("x.png", logits, &classes, 3);
            prediction.top.iter().map(|answer| answer.class).collect::<Vec<_>>()
        };
        assert_eq!(top(&[0.0, 2.0, 1.0]), ["bee", "cat", "ant"]);
        assert_eq!(top(&[1.0, 1.0, 1.0]), ["ant", "bee", "cat"]);
        assert_eq!(Prediction::new("x.png", &[0.0, 2.0, 1.0], &classes, 0).top.len(), 1);
    }

    #[test]
    fn probabilities_are_those_of_the_definition_and_stay_finite() {
        let found = softmax(&[1.0, 2.0, 4.0]);
        let sum: f64 = [1.0_f64, 2.0, 4.0].iter().map(|logit| logit.exp()).sum();
        for (found, logit) in found.iter().zip([1.0_f64, 2.0, 4.0]) {
            assert!((found - logit.exp() / sum).abs() < 1e-15);
        }
        for logits in [[3.4e38, -3.4e38, 0.0], [1e30, 1e30, 1e30], [-1e4, 0.0, 1e4]] {
            let found = softmax(&logits);
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{found:?}");
        }
    }
}
