//! Selects the best epoch of a run.

use crate::config::Monitor;
use crate::train::epoch::Epoch;

/// Accuracy and loss on the validation images, or on the test images if there are none.
fn figures(epoch: &Epoch) -> (f64, f64) {
    match epoch.validation {
        Some(validation) => (validation.accuracy, validation.loss),
        None => (epoch.test_accuracy, epoch.test_loss),
    }
}

impl Monitor {
    /// Whether `candidate` is better than `best`, another epoch of the same run. Many epochs on a
    /// small data set have equal accuracies; the one with the lower loss is then better.
    pub fn is_better(self, candidate: &Epoch, best: &Epoch) -> bool {
        let ((accuracy, loss), (best_accuracy, best_loss)) = (figures(candidate), figures(best));
        match self {
            Monitor::Accuracy => (accuracy, best_loss) > (best_accuracy, loss),
            Monitor::Loss => (best_loss, accuracy) > (loss, best_accuracy),
        }
    }

    /// The best of a run's epochs; the first of several with equal metrics.
    pub fn best(self, epochs: &[Epoch]) -> Option<&Epoch> {
        epochs.iter().reduce(|best, epoch| if self.is_better(epoch, best) { epoch } else { best })
    }

    /// Name of the metric that `epoch` was compared by: `validation accuracy`.
    pub fn figure(self, epoch: &Epoch) -> &'static str {
        match (self, epoch.validation) {
            (Monitor::Accuracy, Some(_)) => "validation accuracy",
            (Monitor::Accuracy, None) => "test accuracy",
            (Monitor::Loss, Some(_)) => "validation loss",
            (Monitor::Loss, None) => "test loss",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Measurement;

    fn epoch(number: usize, [accuracy, loss]: [f64; 2], validation: Option<[f64; 2]>) -> Epoch {
        Epoch {
            epoch: number,
            step: number,
            train_loss: 1.0,
            train_accuracy: 0.5,
            test_loss: loss,
            test_accuracy: accuracy,
            train_cross_entropy: 1.0,
            test_cross_entropy: loss,
            learning_rate: 0.1,
            seconds: 1.0,
            images_per_second: 1.0,
            validation: validation.map(|[accuracy, loss]| Measurement {
                loss,
                accuracy,
                cross_entropy: loss,
            }),
        }
    }

    fn best(monitor: Monitor, figures: &[[f64; 2]], on_validation: bool) -> usize {
        let epoch = |(index, &figures)| match on_validation {
            // The test metrics only get worse, so they would select another epoch.
            true => epoch(index + 1, [1.0 / (index + 1) as f64, index as f64], Some(figures)),
            false => epoch(index + 1, figures, None),
        };
        let epochs: Vec<_> = figures.iter().enumerate().map(epoch).collect();
        monitor.best(&epochs).expect("there are some").epoch
    }

    #[test]
    fn ties_go_by_the_other_figure_and_then_to_the_first() {
        for on_validation in [false, true] {
            let best = |monitor, figures: &[[f64; 2]]| best(monitor, figures, on_validation);
            // Higher accuracy, whatever the loss; equal accuracy, lower loss.
            assert_eq!(best(Monitor::Accuracy, &[[0.5, 0.1], [0.6, 0.9], [0.6, 0.8], [0.6, 0.85]]), 3);
            assert_eq!(best(Monitor::Accuracy, &[[0.7, 0.3], [0.7, 0.3], [0.6, 0.1]]), 1);
            // Lower loss, whatever the accuracy; equal loss, higher accuracy.
            assert_eq!(best(Monitor::Loss, &[[0.9, 0.5], [0.6, 0.4], [0.7, 0.4], [0.7, 0.4]]), 3);
            assert_eq!(best(Monitor::Loss, &[[0.9, 0.5], [0.1, 0.1], [0.95, 0.2]]), 2);
        }
        assert!(Monitor::Accuracy.best(&[]).is_none());
    }

    #[test]
    fn figures_have_names() {
        let [with, without] = [Some([0.5, 1.0]), None].map(|validation| epoch(1, [0.5, 1.0], validation));
        assert_eq!(Monitor::Accuracy.figure(&with), "validation accuracy");
        assert_eq!(Monitor::Loss.figure(&without), "test loss");
    }
}
