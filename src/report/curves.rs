//! The charts of a report.

use super::chart::{Chart, Scale, Series};
use super::record::Record;
use crate::optim::LearningRate;
use crate::train::{Epoch, Measurement};

/// Approximate number of points of the learning rate curve. It exceeds the pixels of the chart.
const LEARNING_RATES: usize = 500;

/// Returns the charts of loss, accuracy, learning rate and speed.
pub(super) fn charts(record: &Record) -> Vec<Chart> {
    let learning_rates = record.learning_rate.map(|rate| learning_rates(rate, &record.epochs));
    let learning_rates = learning_rates.unwrap_or_default();
    let rate =
        Series { steps: &learning_rates, ..series("rate", "learning_rate", |epoch| epoch.learning_rate) };
    let losses = [
        series("train", "train_loss", |epoch| epoch.train_loss),
        series("validation", "validation_loss", |epoch| of_validation(epoch, |figures| figures.loss)),
        series("test", "test_loss", |epoch| epoch.test_loss),
    ];
    let accuracies = [
        series("train", "train_accuracy", |epoch| epoch.train_accuracy),
        series("validation", "validation_accuracy", |epoch| of_validation(epoch, |figures| figures.accuracy)),
        series("test", "test_accuracy", |epoch| epoch.test_accuracy),
    ];
    let pace = series("pace", "images_per_second", |epoch| epoch.images_per_second);
    let draw = |title, scale, series: &[Series<'_>]| {
        let is_known = |series: &&Series<'_>| series.name != "validation" || record.has_validation();
        let series: Vec<_> = series.iter().filter(is_known).copied().collect();
        Chart::draw(title, scale, &series, &record.epochs, record.best())
    };
    vec![
        draw("Loss", Scale::Range, &losses),
        draw("Accuracy", Scale::Percent, &accuracies),
        draw("Learning rate", Scale::FromZero, &[rate]),
        draw("Images per second", Scale::FromZero, &[pace]),
    ]
}

fn series(name: &'static str, key: &'static str, value: fn(&Epoch) -> f64) -> Series<'static> {
    Series { name, key, value, steps: &[] }
}

fn of_validation(epoch: &Epoch, figure: fn(Measurement) -> f64) -> f64 {
    epoch.validation.map_or(f64::NAN, figure)
}

/// Returns steps (from 1) and their learning rates, dense enough to look like a curve.
///
/// Epochs whose learning rate differs from the configuration, because it was changed later, only
/// have their last step.
fn learning_rates(rate: LearningRate, epochs: &[Epoch]) -> Vec<(usize, f64)> {
    let most = epochs.iter().map(|epoch| epoch.step).max().unwrap_or_default();
    let stride = most.div_ceil(LEARNING_RATES).max(1);
    let mut points = Vec::new();
    let mut next = 1;
    for epoch in epochs {
        let at = |step: usize| f64::from(rate.at(step.saturating_sub(1)));
        if (at(epoch.step) - epoch.learning_rate).abs() <= 1e-6 * epoch.learning_rate.abs() {
            let steps = (next..epoch.step).step_by(stride);
            points.extend(steps.map(|step| (step, at(step))));
        }
        points.push((epoch.step, epoch.learning_rate));
        next = epoch.step.saturating_add(1);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Schedule;
    use crate::report::record::tests;

    /// Returns ten epochs of `steps` steps, with the learning rates of a schedule over all of them.
    fn run(steps: usize) -> (LearningRate, Vec<Epoch>) {
        let (schedule, all) = (Schedule::OneCycle, 10 * steps);
        let warmup = 0.3 * all as f64;
        let rate = LearningRate { peak: 0.1, schedule, warmup, step_every: 1, step_factor: 1.0, steps: all };
        let epoch = |number: usize| {
            let step = steps * number;
            let learning_rate = f64::from(rate.at(step - 1));
            Epoch { step, learning_rate, ..tests::epoch(number, 0.5) }
        };
        (rate, (1..=10).map(epoch).collect())
    }

    #[test]
    fn short_runs_have_the_learning_rate_of_every_step() {
        let (rate, epochs) = run(7);
        let expected = (1..=70).map(|step| (step, f64::from(rate.at(step - 1))));
        assert_eq!(learning_rates(rate, &epochs), expected.collect::<Vec<_>>());
        assert_eq!(learning_rates(rate, &epochs[..1]).len(), 7, "an epoch alone is a curve, too");
        assert_eq!(learning_rates(rate, &[]), []);
    }

    #[test]
    fn long_runs_have_as_many_points_as_can_be_seen() {
        let (rate, epochs) = run(123_457);
        let points = learning_rates(rate, &epochs);
        assert!((LEARNING_RATES..2 * LEARNING_RATES).contains(&points.len()), "{}", points.len());
        assert!(points.is_sorted_by(|one, other| one.0 < other.0));
        assert!(points.iter().all(|&(step, value)| value == f64::from(rate.at(step - 1))));
        assert!(epochs.iter().all(|epoch| points.contains(&(epoch.step, epoch.learning_rate))));
    }

    #[test]
    fn epochs_with_another_rate_are_shown_as_they_were() {
        let (rate, mut epochs) = run(7);
        epochs[1].learning_rate = 0.7;
        let points = learning_rates(rate, &epochs);
        assert_eq!(points.len(), 70 - 6);
        assert_eq!(points[6..9].iter().map(|point| point.0).collect::<Vec<_>>(), [7, 14, 15]);
        assert_eq!(points[7].1, 0.7);
    }
}
