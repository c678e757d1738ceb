//! The metrics that a run shows: the images that they are computed on, and which of them select the
//! best epoch.

use std::fs;

use serde_json::Value;

use crate::cli::support::{Outcome, Sandbox, fine};
use crate::cli::training::data;

/// A folder of 6x6 pictures in two classes: noise, brighter in one of them.
fn pictures(sandbox: &Sandbox, counts: &[(&str, usize)]) {
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 25) as u8
    };
    for (split, count) in counts {
        for index in 0..*count {
            let (class, brighter) = [("day", 40), ("night", 0)][index % 2];
            let folder = sandbox.path().join("pictures").join(split).join(class);
            fs::create_dir_all(&folder).expect("the folder is writable");
            let picture = image::GrayImage::from_fn(6, 6, |_, _| image::Luma([noise() + brighter]));
            picture.save(folder.join(format!("{index:03}.png"))).expect("it can be written");
        }
    }
}

fn run(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    fine(sandbox.run(arguments))
}

fn number(event: &Value, field: &str) -> f64 {
    event[field].as_f64().unwrap_or_else(|| panic!("{field} in {event}"))
}

fn epochs(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["event"] == "epoch").collect()
}

/// With a learning rate at which no weight moves, training and evaluation have the same metrics.
#[test]
fn training_figures_count_every_image_once_whatever_the_batches() {
    for (images, batch, model) in [
        (9, "8", "linear:7,relu"),
        (7, "3", "linear:7,relu"),
        (10, "4", "conv:4x3,relu,globalavgpool"),
        (10, "10", "linear:7,relu"),
        (11, "1", "linear:7,relu"),
    ] {
        for device in ["cpu", "gpu"] {
            let sandbox = Sandbox::new();
            pictures(&sandbox, &[("train", images), ("test", 4)]);
            let train = ["train", "--data", "pictures", "--model", model, "--batch-size", batch];
            let more = ["--lr", "1e-30", "--l2", "0.1", "--epochs", "1", "--device", device, "--out", "run"];
            let events = run(&sandbox, &[&train[..], &more, &["--json"]].concat()).events();
            let epoch = epochs(&events)[0];
            let eval = ["eval", "run", "--data", "pictures", "--split", "train", "--device", device];
            let evaluation = &run(&sandbox, &[&eval[..], &["--json"]].concat()).events()[0];
            assert_eq!(evaluation["images"], images, "{evaluation}");
            assert_eq!(epoch["train_accuracy"], evaluation["accuracy"], "{images} in batches of {batch}");
            let [found, wanted] = [number(epoch, "train_cross_entropy"), number(evaluation, "loss")];
            let what = format!("{images} in batches of {batch}: {found}, {wanted}");
            assert!((found - wanted).abs() < 1e-6 * wanted, "{what}");
            let penalty = |split: &str| {
                number(epoch, &format!("{split}_loss")) - number(epoch, &format!("{split}_cross_entropy"))
            };
            let [found, wanted] = ["train", "test"].map(penalty);
            assert!(wanted > 0.0 && (found - wanted).abs() < 1e-6 * wanted, "penalty {found}, {wanted}");
        }
    }
}

/// With few test images there are few different accuracies, so many epochs have the same.
#[test]
fn the_best_of_epochs_with_one_accuracy_has_the_lowest_loss() {
    let sandbox = Sandbox::new();
    pictures(&sandbox, &[("train", 20), ("test", 10)]);
    let train = ["train", "--data", "pictures", "--model", "linear:7,relu", "--batch-size", "5"];
    let more = ["--lr", "0.05", "--epochs", "40", "--device", "cpu", "--json"];
    for (monitor, arguments) in
        [("accuracy", &[][..]), ("accuracy", &["--monitor", "accuracy"]), ("loss", &["--monitor", "loss"])]
    {
        let out = format!("run-{}-{monitor}", arguments.len());
        let events = run(&sandbox, &[&train[..], &more, arguments, &["--out", &out]].concat()).events();
        let (epochs, end) = (epochs(&events), events.last().expect("there is an end"));
        assert_eq!(epochs.len(), 40);
        let figures = |epoch: &Value| (number(epoch, "test_accuracy"), number(epoch, "test_loss"));
        let better = |one: (f64, f64), other: (f64, f64)| match monitor {
            "accuracy" => one.0 > other.0 || one.0 == other.0 && one.1 < other.1,
            _ => one.1 < other.1,
        };
        let best = epochs
            .iter()
            .copied()
            .reduce(|best, epoch| if better(figures(epoch), figures(best)) { epoch } else { best });
        let best = best.expect("there are epochs");
        assert_eq!(end["best_epoch"], best["epoch"], "{monitor}");
        assert_eq!(end["monitored"], format!("test {monitor}"));
        if monitor == "accuracy" {
            let first = epochs.iter().find(|epoch| epoch["test_accuracy"] == best["test_accuracy"]);
            assert_ne!(first.expect("the best one")["epoch"], best["epoch"], "the first tie is not the best");
        }
        let pointed = sandbox.read(&format!("{out}/best"));
        assert_eq!(pointed, format!("checkpoints/{:08}\n", best["step"].as_u64().expect("a number")));
    }
}

#[test]
fn the_table_has_losses_of_validation_and_learning_rates_and_the_last_line_says_what_chose() {
    let (sandbox, data) = (Sandbox::new(), data());
    let common = ["train", "--data", &data, "--device", "cpu", "--epochs", "3", "--lr", "0.2"];
    for (more, figure, shown) in [
        (&["--validation", "0.2"][..], "validation accuracy", "(validation "),
        (&["--validation", "0.2", "--monitor", "loss"], "validation loss", "(validation loss "),
        (&[], "test accuracy", "(test "),
        (&["--monitor", "loss"], "test loss", "(test loss "),
    ] {
        let outcome = run(&sandbox, &[&common[..], more].concat());
        let heading = outcome.stdout.lines().find(|line| line.contains("train loss")).expect("a heading");
        let titles: Vec<_> = heading.split("  ").map(str::trim).filter(|title| !title.is_empty()).collect();
        let has_validation = figure.starts_with("validation");
        assert_eq!(titles.contains(&"val loss"), has_validation, "{titles:?}");
        assert_eq!(titles.contains(&"val acc"), has_validation, "{titles:?}");
        assert!(titles.contains(&"lr"), "{titles:?}");
        let last = outcome.stdout.lines().find(|line| line.starts_with("best epoch ")).expect("a last line");
        assert!(last.contains(&format!(" by {figure} {shown}")), "{last}");
        assert!(last.contains("the last, by") != last.contains("; last epoch: test "), "{last}");
    }
}

/// This also holds if the run is cut short, unless the schedule is given another length.
#[test]
fn a_learning_rate_falls_within_the_steps_of_the_run() {
    let (sandbox, data) = (Sandbox::new(), data());
    let common = ["train", "--data", &data, "--device", "cpu", "--json", "--schedule", "linear", "--lr", "1"];
    let last_rate = |more: &[&str]| {
        let events = run(&sandbox, &[&common[..], more].concat()).events();
        number(epochs(&events).last().expect("there is one"), "learning_rate")
    };
    let close = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-6, "{found} is not {wanted}");
    // 211 images are 4 steps per epoch.
    close(last_rate(&["--max-steps", "6", "--batch-size", "64"]), 1.0 / 6.0);
    close(last_rate(&["--max-steps", "6", "--batch-size", "64", "--schedule-steps", "60"]), 1.0 - 5.0 / 60.0);
    close(last_rate(&["--max-steps", "6", "--batch-size", "64", "--schedule-steps", "5e"]), 1.0 - 5.0 / 20.0);
}
