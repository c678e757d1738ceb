//! Curves over a run's steps: from numbers to coordinates in a square of 100 by 100, which the page
//! scales.

use serde::Serialize;

use crate::train::Epoch;

/// Approximate maximum number of labels of an axis: of epochs, of values, and of values from zero,
/// whose charts are low.
const EPOCH_LABELS: f64 = 8.0;
const LABELS: f64 = 7.0;
const LABELS_FROM_ZERO: f64 = 4.0;

/// A series of values, one per epoch.
#[derive(Clone, Copy)]
pub(super) struct Series<'a> {
    /// Name on the page.
    pub(super) name: &'static str,
    /// The field of an epoch.
    pub(super) key: &'static str,
    pub(super) value: fn(&Epoch) -> f64,
    /// Steps (from 1) and their values, for series with more points than epochs.
    pub(super) steps: &'a [(usize, f64)],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// From the lowest value to the highest.
    Range,
    /// The same, for fractions shown in percent.
    Percent,
    /// From zero.
    FromZero,
}

/// A chart, ready to be drawn. Coordinates are percentages from the left and from the top.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    title: &'static str,
    lines: Vec<Line>,
    x_labels: Vec<Label>,
    y_labels: Vec<Label>,
    /// Position of the best epoch.
    best: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    key: &'static str,
    /// Points in the format of SVG's `polyline`.
    points: String,
    /// Points of the epochs, if `points` contains others as well.
    epochs: Option<String>,
    /// The last point.
    end: [f64; 2],
}

#[derive(Debug, PartialEq, Serialize)]
struct Label {
    at: f64,
    text: String,
}

/// Converts values to positions on an axis.
#[derive(Clone, Copy)]
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// Returns an axis that includes all of `values`.
    fn around(values: impl Iterator<Item = f64>, scale: Scale) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let low = if scale == Scale::FromZero { low.min(0.0) } else { low };
        // A single value has a margin, too.
        let span = if high > low { high - low } else { 0.1 * high.abs().max(1e-3) };
        let below = if scale == Scale::FromZero { 0.0 } else { 0.06 * span };
        Axis { low: low - below, high: high + 0.06 * span }
    }

    /// Returns the position of `value` on the axis, in percent from its low end.
    fn place(self, value: f64) -> f64 {
        round(100.0 * (value - self.low) / (self.high - self.low))
    }

    /// Returns labels at round values.
    fn labels(self, scale: Scale) -> Vec<Label> {
        let unit = if scale == Scale::Percent { 100.0 } else { 1.0 };
        let most = if scale == Scale::FromZero { LABELS_FROM_ZERO } else { LABELS };
        let step = round_step((self.high - self.low) * unit / most);
        let first = (self.low * unit / step).ceil() as i64;
        let last = (self.high * unit / step).floor() as i64;
        (first..=last)
            .map(|index| {
                let value = index as f64 * step;
                let text = label(value, step);
                let text = if scale == Scale::Percent { format!("{text}%") } else { text };
                Label { at: round(100.0 - self.place(value / unit)), text }
            })
            .collect()
    }
}

impl Chart {
    /// Draws `series`. Without epochs, there are only axes.
    pub(super) fn draw(
        title: &'static str,
        scale: Scale,
        series: &[Series<'_>],
        epochs: &[Epoch],
        best: Option<&Epoch>,
    ) -> Self {
        let of_epochs = series.iter().flat_map(|series| epochs.iter().map(series.value));
        let of_steps = series.iter().flat_map(|series| series.steps.iter().map(|(_, value)| *value));
        let axis = Axis::around(of_epochs.chain(of_steps), scale);
        let steps = epochs.last().map_or(1, |last| last.step.max(1));
        let x = |step: usize| round(100.0 * step as f64 / steps as f64);
        let place = |step, value| [x(step), round(100.0 - axis.place(value))];
        let lines = series.iter().filter(|_| !epochs.is_empty()).map(|series| {
            let ends: Vec<_> = epochs.iter().map(|epoch| place(epoch.step, (series.value)(epoch))).collect();
            let between: Vec<_> = series.steps.iter().map(|&(step, value)| place(step, value)).collect();
            let epochs = (!between.is_empty()).then(|| points(&ends));
            let points = if between.is_empty() { points(&ends) } else { points(&between) };
            Line { name: series.name, key: series.key, points, epochs, end: ends[ends.len() - 1] }
        });
        Chart {
            title,
            lines: lines.collect(),
            x_labels: epoch_labels(epochs, |epoch| x(epoch.step)),
            y_labels: axis.labels(scale),
            best: best.map(|best| x(best.step)),
        }
    }
}

fn points(places: &[[f64; 2]]) -> String {
    let points: Vec<_> = places.iter().map(|[x, y]| format!("{x},{y}")).collect();
    points.join(" ")
}

/// Returns the labels of the epoch axis: the first epoch, and round numbers.
fn epoch_labels(epochs: &[Epoch], x: impl Fn(&Epoch) -> f64) -> Vec<Label> {
    let step = round_step(epochs.len() as f64 / EPOCH_LABELS).max(1.0) as usize;
    let is_round = |number: usize| number.is_multiple_of(step) || (number == 1 && step > 2);
    let epochs = epochs.iter().filter(|epoch| is_round(epoch.epoch));
    epochs.map(|epoch| Label { at: x(epoch), text: epoch.epoch.to_string() }).collect()
}

/// Rounds `step` up to 1, 2 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// Formats `value` with the digits that multiples of `step` need.
fn label(value: f64, step: f64) -> String {
    let decimals = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
    match step {
        _ if value == 0.0 => "0".into(),
        step if step >= 1e6 => format!("{}M", value / 1e6),
        step if step >= 1e3 => format!("{}k", value / 1e3),
        _ if decimals > 4 => scientific(value, step),
        _ => format!("{value:.decimals$}"),
    }
}

/// Formats `value` in scientific notation, with the digits that multiples of `step` need: `1.5e-6`.
fn scientific(value: f64, step: f64) -> String {
    let power = |value: f64| (value.abs().log10() + 1e-9).floor();
    let digits = (power(value) - power(step)).max(0.0) as usize;
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((number, exponent)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{number}e{exponent}")
        }
        _ => text,
    }
}

/// Rounds to a hundredth of a percent, which is less than a pixel.
fn round(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::record::tests::epoch;

    const ACCURACY: Series<'_> =
        Series { name: "test", key: "test_accuracy", value: |epoch| epoch.test_accuracy, steps: &[] };

    fn chart(accuracies: &[f64]) -> Chart {
        let epochs: Vec<_> =
            accuracies.iter().enumerate().map(|(index, &value)| epoch(index + 1, value)).collect();
        Chart::draw("Accuracy", Scale::Percent, &[ACCURACY], &epochs, epochs.first())
    }

    #[test]
    fn the_lowest_value_is_at_the_bottom_and_the_highest_at_the_top() {
        let chart = chart(&[0.5, 0.7, 0.6]);
        // The margin is 6 % of the range above and below: 0.06 / 1.12.
        // Epochs end after 100, 200 and 300 steps.
        assert_eq!(chart.lines[0].points, "33.33,94.64 66.67,5.36 100,50");
        assert_eq!(chart.lines[0].end, [100.0, 50.0]);
        assert_eq!(chart.best, Some(33.33));
        let labels: Vec<_> = chart.y_labels.iter().map(|label| label.text.as_str()).collect();
        assert_eq!(labels, ["50%", "55%", "60%", "65%", "70%"]);
        assert_eq!(chart.y_labels[2].at, 50.0, "60 % is half way");
    }

    #[test]
    fn one_value_no_value_and_equal_values_can_be_drawn() {
        assert_eq!(chart(&[0.5]).lines[0].points, "100,50");
        assert!(chart(&[]).lines.is_empty());
        assert_eq!(chart(&[0.0, 0.0]).lines[0].points, "50,50 100,50");
    }

    #[test]
    fn figures_of_steps_are_a_curve_of_their_own() {
        let epochs = [epoch(1, 0.5), epoch(2, 0.5)];
        let steps = [(1, 1.0), (100, 0.5), (150, 0.25), (200, 0.0)];
        let series = Series { steps: &steps, ..ACCURACY };
        let chart = Chart::draw("Accuracy", Scale::FromZero, &[series], &epochs, None);
        // The margin is 6 % of the range above.
        assert_eq!(chart.lines[0].points, "0.5,5.66 50,52.83 75,76.42 100,100");
        assert_eq!(chart.lines[0].epochs.as_deref(), Some("50,52.83 100,52.83"));
        assert_eq!(chart.lines[0].end, [100.0, 52.83]);
    }

    #[test]
    fn small_values_have_labels_of_their_own() {
        for (value, step, expected) in [
            (5e-7, 5e-7, "5e-7"),
            (1e-6, 5e-7, "1e-6"),
            (1.5e-6, 5e-7, "1.5e-6"),
            (3.0 * 5e-7, 5e-7, "1.5e-6"),
            (1.2e-5, 2e-6, "1.2e-5"),
            (1e-9, 1e-9, "1e-9"),
            (0.100_02, 1e-5, "1.0002e-1"),
        ] {
            assert_eq!(label(value, step), expected);
        }
    }

    #[test]
    fn labels_are_round_and_few() {
        for (span, expected) in
            [(1.0, ["0", "0.5", "1.0"].as_slice()), (0.002, &["0", "0.0005", "0.0010", "0.0015", "0.0020"])]
        {
            let labels = Axis { low: 0.0, high: span }.labels(Scale::FromZero);
            let labels: Vec<_> = labels.iter().map(|label| label.text.as_str()).collect();
            assert_eq!(labels, expected);
        }
        let labels = Axis { low: 0.0, high: 244_000.0 }.labels(Scale::FromZero);
        assert_eq!(labels.last().map(|label| label.text.as_str()), Some("200k"));
        for exponent in -9..9 {
            for digit in 1..100 {
                let high = f64::from(digit) * 10f64.powi(exponent);
                let count = Axis { low: 0.0, high }.labels(Scale::FromZero).len();
                assert!((2..=6).contains(&count), "{count} labels up to {high}");
            }
        }
    }

    #[test]
    fn epochs_are_counted_in_round_numbers() {
        for (count, expected) in [
            (1, vec![1]),
            (5, vec![1, 2, 3, 4, 5]),
            (10, vec![2, 4, 6, 8, 10]),
            (40, vec![1, 5, 10, 15, 20, 25, 30, 35, 40]),
            (300, vec![1, 50, 100, 150, 200, 250, 300]),
        ] {
            let labels = chart(&vec![0.5; count]).x_labels;
            let numbers: Vec<usize> =
                labels.iter().map(|label| label.text.parse().expect("a number")).collect();
            assert_eq!(numbers, expected);
        }
    }
}
