//! Runs that are validated on held-out images, and end when they stop improving.

use std::path::Path;

use shadegrad::config::Key;
use shadegrad::data::Dataset;
use shadegrad::train::{Ending, StopFlag, Trainer};

use crate::resume::support::{Witness, config, dataset, device, resume, train};

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

/// The data set with its own validation images, each in a file.
fn dataset_with_validation() -> Dataset {
    let mut data = dataset();
    let mut other = dataset();
    let pixels = data.shape.pixels();
    other.test.images.truncate(20 * pixels);
    other.test.labels.truncate(20);
    other.test.files = (0..20).map(|index| format!("val/{index}.png").into()).collect();
    data.files = other.test.files.iter().cloned().chain(["train.bin".into()]).collect();
    data.validation = Some(other.test);
    data
}

/// The data set's validation images are used unless the user names others.
#[test]
fn validation_images_of_the_data_judge_unless_others_are_named() {
    for kind in ["cpu", "gpu"] {
        let device = device(kind);
        for (validation, [train, count], files) in
            [("0", [133, 20], 21), ("0.25", [100, 33], 1), ("test", [133, 0], 1)]
        {
            let config = config(&[(Key::Validation, validation), (Key::Epochs, "4"), (Key::Monitor, "loss")]);
            let mut witness = Witness::default();
            let trainer = Trainer::new(&config, dataset_with_validation(), &*device);
            let trainer = trainer.expect("the run can start");
            let end = trainer.train(Path::new("none"), &mut [&mut witness], &StopFlag::default());
            let end = end.expect("the run ends well");
            let start = &witness.starts[0];
            assert_eq!([start.dataset.train, start.dataset.validation], [train, count], "{validation}");
            assert_eq!((start.dataset.test, start.files.len()), (41, files), "{validation}");
            let losses = witness.epochs.iter().map(|epoch| match epoch.validation {
                Some(found) => {
                    let hits = found.accuracy * count as f64;
                    assert!((hits - hits.round()).abs() < 1e-9, "{hits} hits of {count}");
                    found.loss
                }
                None => epoch.test_loss,
            });
            let losses: Vec<f64> = losses.collect();
            let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
            assert_eq!(losses[end.best_epoch - 1], lowest, "{validation}: {losses:?}");
            assert_eq!(witness.epochs[0].validation.is_some(), count > 0, "{validation}");
            assert_eq!(end.monitored, if count > 0 { "validation loss" } else { "test loss" });
        }
    }
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
                // Without it the loss keeps falling, which counts as improvement.
                (Key::WeightDecay, "0.05"),
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
            // When renewed, patience lasts as long again. Patience decides that the run is over.
            let mut renewed = straight.snapshots.last().expect("there are some").clone();
            assert_eq!(renewed.position.ending(&config), Some(Ending::Patience));
            renewed.position.patience_since = renewed.position.epochs;
            assert_eq!(renewed.position.ending(&config), None);
            let (further, rest) = resume(&config, &*device, &renewed);
            assert!(rest.epochs.len() >= 3, "{} epochs more", rest.epochs.len());
            assert_eq!(further.epochs, (end.epochs + 3).max(further.best_epoch + 3));
            // A finished run has nothing to do.
            let (again, rest) = resume(&config, &*device, straight.snapshots.last().expect("there are some"));
            assert_eq!((again.weights_sha256, rest.epochs.len()), (end.weights_sha256, 0));
        }
    }
}
