//! Runs that are judged by images kept aside, and end when they get no better.

use shadegrad::config::Key;

use crate::support::{config, device, resume, train};

#[test]
fn validation_images_are_not_trained_on_and_say_which_epoch_is_best() {
    let device = device("cpu");
    let config = config(&[(Key::Validation, "0.25"), (Key::Epochs, "12"), (Key::Lr, "0.2")]);
    let (end, witness) = train(&config, &*device);
    let set = &witness.starts[0].dataset;
    assert_eq!((set.train, set.validation, set.test), (100, 33, 41));
    let measured = witness.epochs.iter().map(|epoch| epoch.validation.expect("it is measured"));
    let measured: Vec<_> = measured.collect();
    for validation in &measured {
        let hits = validation.accuracy * 33.0;
        assert!((hits - hits.round()).abs() < 1e-9, "{hits} hits of 33");
    }
    let highest = measured.iter().map(|found| found.accuracy).fold(0.0, f64::max);
    let ties = measured.iter().enumerate().filter(|(_, found)| found.accuracy == highest);
    let best = ties.min_by(|(_, a), (_, b)| a.loss.total_cmp(&b.loss)).expect("there is a highest").0;
    assert_eq!(end.best_epoch, best + 1);
    assert!(!end.stopped_early);
}

#[test]
fn a_run_without_validation_measures_none() {
    let (_, witness) = train(&config(&[]), &*device("cpu"));
    assert!(witness.epochs.iter().all(|epoch| epoch.validation.is_none()));
    assert_eq!(witness.starts[0].dataset.validation, 0);
}

#[test]
fn patience_ends_a_run_that_gets_no_better_and_resuming_changes_nothing() {
    for kind in ["cpu", "gpu"] {
        let device = device(kind);
        for validation in ["0.2", "test"] {
            let values = [
                (Key::Validation, validation),
                (Key::Patience, "3"),
                (Key::Epochs, "1000"),
                (Key::Momentum, "0.9"),
                (Key::CheckpointEvery, "5"),
            ];
            let config = config(&values);
            let (end, straight) = train(&config, &*device);
            assert!(end.stopped_early);
            assert_eq!(end.epochs, end.best_epoch + 3, "{validation}");
            let scores = straight.epochs.iter().map(|epoch| {
                let test = (epoch.test_accuracy, -epoch.test_loss);
                epoch.validation.map_or(test, |found| (found.accuracy, -found.loss))
            });
            let scores: Vec<(f64, f64)> = scores.collect();
            let (before, best) = (&scores[..end.best_epoch - 1], scores[end.best_epoch - 1]);
            assert!(
                before.iter().all(|&score| score < best)
                    && scores[end.best_epoch..].iter().all(|&score| score <= best),
                "{scores:?}"
            );
            for index in [1, straight.snapshots.len() / 2, straight.snapshots.len() - 2] {
                let (again, rest) = resume(&config, &*device, &straight.snapshots[index]);
                assert_eq!(again.weights_sha256, end.weights_sha256, "{validation}, {index}");
                assert_eq!((again.epochs, again.best_epoch), (end.epochs, end.best_epoch));
                assert_eq!(rest.last(), straight.last());
            }
            // A run that is over has nothing to do.
            let (again, rest) = resume(&config, &*device, straight.snapshots.last().expect("there are some"));
            assert_eq!((again.weights_sha256, rest.epochs.len()), (end.weights_sha256, 0));
        }
    }
}
