//! Runs that are trained further, moved or edited by hand, and the messages about it.

use std::fs;

use serde_json::{Value, json};

use crate::cli::resume::record;
use crate::cli::support::{Outcome, Sandbox, fine};
use crate::cli::training::data;

/// A folder with a copy of the small data set of the golden runs, in `set`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.copy(data(), "set");
    sandbox
}

/// Trains on `set`, 14 steps per epoch, and records the run in `out`.
fn train(sandbox: &Sandbox, out: &str, more: &[&str]) -> Outcome {
    let common = ["train", "--data", "set", "--model", "linear:8,relu", "--batch-size", "16"];
    let common = [&common[..], &["--device", "cpu", "--out", out, "--quiet"], more].concat();
    sandbox.run(&common)
}

/// Runs `resume --json`. Returns the last event.
fn resumed(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let outcome = fine(sandbox.run(&[&["resume"], arguments, &["--json"]].concat()));
    outcome.events().pop().expect("there is an end")
}

/// The lines of a run's metrics, without timings.
fn metrics(sandbox: &Sandbox, run: &str) -> Vec<Value> {
    let mut epochs = sandbox.metrics(run);
    for epoch in &mut epochs {
        epoch["seconds"].take();
        epoch["images_per_second"].take();
    }
    epochs
}

fn weights(sandbox: &Sandbox, run: &str) -> String {
    let log = sandbox.read(&format!("{run}/log.txt"));
    log.lines().last().and_then(|line| line.split_once("weights ")).expect("it has ended").1.into()
}

/// Asserts that `resume` prints this note and does nothing else.
fn says(sandbox: &Sandbox, arguments: &[&str], wanted: &str) {
    let outcome = fine(sandbox.run(&[&["resume"], arguments].concat()));
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("", &*format!("note: {wanted}\n")));
}

#[test]
fn a_finished_run_says_so_and_how_to_train_it_further() {
    let sandbox = sandbox();
    let validated = ["--validation", "0.2", "--patience", "1", "--epochs", "900", "--lr", "0.5"];
    for (run, flags) in [
        ("epochs", &["--epochs", "3"][..]),
        ("steps", &["--epochs", "3", "--max-steps", "20"]),
        ("patience", &validated),
    ] {
        fine(train(&sandbox, run, flags));
    }
    let further = "train it further with: shadegrad resume";
    let stopped = metrics(&sandbox, "patience").len();
    for (arguments, said, advice) in [
        (&["epochs"][..], "3 of 3 epochs", "epochs --epochs 4"),
        (&["epochs", "--epochs", "3"], "3 of 3 epochs", "epochs --epochs 4"),
        (&["steps"], "20 of 20 steps", "steps --epochs 3"),
        (&["patience"], &format!("stopped early after {stopped} of 900 epochs"), "patience --epochs 900"),
    ] {
        says(&sandbox, arguments, &format!("this run is finished ({said}); {further} {advice}"));
    }
    // The suggestion works, and is not repeated before it was followed.
    for (run, epochs) in [("epochs", "4"), ("steps", "3")] {
        let end = resumed(&sandbox, &[run, "--epochs", epochs]);
        assert_eq!(end["epochs"].to_string(), epochs);
    }
    let end = resumed(&sandbox, &["patience", "--epochs", "900"]);
    assert!(end["epochs"].as_u64().expect("a number") > stopped as u64, "{end}");
    // With --json, the end event is printed again.
    assert_eq!(resumed(&sandbox, &["epochs"])["weights_sha256"], weights(&sandbox, "epochs"));
    let quiet = fine(sandbox.run(&["resume", "epochs", "--quiet"]));
    assert_eq!((&*quiet.stdout, &*quiet.stderr), ("", ""));
}

#[test]
fn a_run_with_more_epochs_ends_as_one_that_had_them_from_the_start() {
    let sandbox = sandbox();
    let constant = ["--schedule", "constant", "--momentum", "0.9"];
    let with = |more: &[&'static str]| [&constant[..], more].concat();
    fine(train(&sandbox, "straight", &with(&["--epochs", "4"])));
    fine(train(&sandbox, "run", &with(&["--epochs", "2"])));
    fine(train(&sandbox, "cut", &with(&["--epochs", "2", "--max-steps", "20"])));
    for run in ["run", "cut"] {
        let outcome = fine(sandbox.run(&["resume", run, "--epochs", "4"]));
        assert!(outcome.stderr.contains("note: epochs 4 (was 2)"), "{outcome:#?}");
        assert!(outcome.stderr.contains("the learning rate is 0.05"), "{outcome:#?}");
        assert!(outcome.stderr.contains("run.json records both"), "{outcome:#?}");
        assert_eq!(weights(&sandbox, run), weights(&sandbox, "straight"), "{run}");
        assert_eq!(metrics(&sandbox, run), metrics(&sandbox, "straight"), "{run}");
        let config = |run: &str| sandbox.read(&format!("{run}/config.toml"));
        assert_eq!(config(run), config("straight"), "{run}");
        assert!(sandbox.read(&format!("{run}/log.txt")).contains(" changed: epochs 4 (was 2)"));
    }
    assert_eq!(record(&sandbox, "straight")["changes"], Value::Null);
    let changes = record(&sandbox, "cut")["changes"].clone();
    assert_eq!(changes[0]["before"], json!({ "epochs": 2, "max-steps": 20 }), "{changes}");
    assert_eq!(changes[0]["after"], json!({ "epochs": 4, "max-steps": null }), "{changes}");
    assert_eq!((&changes[0]["step"], changes.as_array().map(Vec::len)), (&json!(20), Some(1)), "{changes}");
}

#[test]
fn the_schedule_of_a_run_with_more_epochs_is_laid_out_anew() {
    let sandbox = sandbox();
    for (schedule, warmup) in [("cosine", "0"), ("linear", "0.2"), ("one-cycle", "0.3")] {
        let flags = |epochs| ["--schedule", schedule, "--warmup", warmup, "--epochs", epochs];
        fine(train(&sandbox, &format!("long-{schedule}"), &flags("5")));
        fine(train(&sandbox, schedule, &flags("3")));
        let outcome = fine(sandbox.run(&["resume", schedule, "--epochs", "5", "--lr", "0.02"]));
        let wanted = format!("lr 0.02 (was 0.05): the {schedule} schedule now covers 70 steps");
        assert!(outcome.stderr.contains(&wanted), "{outcome:#?}");
        let rates = |run: &str| {
            let rate = |event: &Value| event["learning_rate"].as_f64().expect("a number");
            metrics(&sandbox, run)[3..].iter().map(rate).collect::<Vec<_>>()
        };
        let (found, straight) = (rates(schedule), rates(&format!("long-{schedule}")));
        assert_eq!((found.len(), straight.len()), (2, 2));
        for (found, straight) in found.iter().zip(straight) {
            assert!((found / straight - 0.4).abs() < 1e-6, "{schedule}: {found} and {straight}");
        }
    }
}

#[test]
fn changes_that_a_run_cannot_have_are_refused_and_leave_it_as_it_is() {
    let sandbox = sandbox();
    fine(train(&sandbox, "run", &["--epochs", "3"]));
    let before = ["run/run.json", "run/config.toml", "run/log.txt"].map(|path| sandbox.read(path));
    for epochs in ["1", "2"] {
        let outcome = sandbox.run(&["resume", "run", "--epochs", epochs]);
        outcome
            .refused(2)
            .because(&[&format!("--epochs {epochs}: "), "has already trained 42 steps, in 3 epochs"]);
        assert!(outcome.stderr.contains("help: use at least 4"), "{outcome:#?}");
    }
    let outcome = sandbox.run(&["resume", "run", "--lr", "0.01"]);
    outcome.refused(2).because(&["--lr 0.01: this run is finished (3 of 3 epochs)"]);
    assert!(outcome.stderr.contains("shadegrad resume run --epochs 4 --lr 0.01"), "{outcome:#?}");
    let after = ["run/run.json", "run/config.toml", "run/log.txt"].map(|path| sandbox.read(path));
    assert_eq!(before, after);
}

/// A process that is killed before it has saved a checkpoint leaves one with the old configuration.
#[test]
fn a_change_outlives_a_process_that_saved_nothing_after_it() {
    let sandbox = sandbox();
    fine(train(&sandbox, "straight", &["--epochs", "4", "--schedule", "constant"]));
    fine(train(&sandbox, "run", &["--epochs", "2", "--schedule", "constant"]));
    let mut changed = record(&sandbox, "run");
    changed["state"] = json!("running");
    changed["changes"] = json!([{
        "time": "2026-12-01T00:00:00Z", "step": 28, "epochs": 2, "before": { "epochs": 2 }, "after": { "epochs": 4 },
    }]);
    sandbox.write("run/run.json", changed.to_string());
    sandbox.write("run/config.toml", sandbox.read("straight/config.toml"));
    let outcome = fine(sandbox.run(&["resume", "run", "--json"]));
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.events()[0]["config"]["epochs"], 4);
    assert_eq!(weights(&sandbox, "run"), weights(&sandbox, "straight"));
}

#[test]
fn an_edited_configuration_is_noticed_and_put_aside() {
    let sandbox = sandbox();
    fine(train(&sandbox, "run", &["--epochs", "2"]));
    let config = sandbox.read("run/config.toml");
    for (from, to, said, advice) in [
        ("epochs = 2", "epochs = 9", "epochs is 9 instead of 2", "shadegrad resume run --epochs 9"),
        ("lr = 0.05", "lr = 0.5", "lr is 0.5 instead of 0.05", "shadegrad resume run --lr 0.5"),
        ("batch-size = 16", "batch-size = 8", "batch-size is 8", "train --config run/config.edited.toml"),
        ("epochs = 2", "epochs = two", "is not valid any more", "run/config.edited.toml now"),
    ] {
        let edited = config.replace(from, to);
        assert_ne!(edited, config);
        sandbox.write("run/config.toml", &edited);
        let outcome = fine(sandbox.run(&["resume", "run", "--json"]));
        let [note] = outcome.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{outcome:#?}") };
        assert!(note.starts_with("note: run/config.toml was edited"), "{note}");
        assert!(note.contains(said) && note.ends_with(advice), "{note}");
        assert_eq!(outcome.events()[0]["config"]["epochs"], 2);
        assert_eq!(sandbox.read("run/config.toml"), config);
        assert_eq!(sandbox.read("run/config.edited.toml"), edited);
        assert!(sandbox.read("run/log.txt").contains(said));
    }
    // A comment changes nothing.
    let commented = format!("# mine\n{config}");
    sandbox.write("run/config.toml", &commented);
    assert_eq!(fine(sandbox.run(&["resume", "run", "--json"])).stderr, "");
    assert_eq!(sandbox.read("run/config.toml"), commented);
}

#[test]
fn a_run_is_resumed_measured_and_reported_from_every_folder() {
    let sandbox = sandbox();
    fine(train(&sandbox, "run", &["--epochs", "2", "--schedule", "constant"]));
    fine(train(&sandbox, "straight", &["--epochs", "4", "--schedule", "constant"]));
    let elsewhere = Sandbox::new();
    let run = &sandbox.path().join("run").display().to_string();
    let before = fine(elsewhere.run(&["eval", run, "--device", "cpu", "--json"]));
    let epochs = metrics(&sandbox, "run");
    let best = epochs.iter().filter_map(|epoch| epoch["test_accuracy"].as_f64()).max_by(f64::total_cmp);
    assert_eq!(before.events()[0]["accuracy"].as_f64().expect("a number"), best.expect("epochs"));
    assert_eq!(fine(elsewhere.run(&["report", run, "--device", "cpu"])).stderr, "");
    assert_eq!(resumed(&elsewhere, &[run, "--epochs", "3"])["epochs"], 3);

    // Both the run and the data are moved.
    sandbox.folder("moved");
    for name in ["run", "set"] {
        sandbox.rename(name, &format!("moved/{name}"));
    }
    for command in [&["resume", "moved/run", "--epochs", "4"][..], &["eval", "moved/run", "--device", "cpu"]]
    {
        let outcome = sandbox.run(command);
        outcome.refused(3).because(&["the data of the run no longer exist: ", "set"]);
        assert!(outcome.stderr.contains("--data DIR"), "{outcome:#?}");
    }
    let outcome = fine(sandbox.run(&["report", "moved/run", "--data", "moved/set", "--device", "cpu"]));
    assert_eq!(outcome.stderr, "");
    let end = resumed(&sandbox, &["moved/run", "--epochs", "4", "--data", "moved/run/../set"]);
    assert_eq!(end["weights_sha256"], weights(&sandbox, "straight"));
    let config = sandbox.read("moved/run/config.toml");
    let place = sandbox.path().canonicalize().expect("it is there").join("moved/set");
    assert!(config.contains(&format!("data = {:?}\n", place.to_str().expect("plain"))), "{config}");
    let moved = sandbox.path().join("moved/run").display().to_string();
    fine(elsewhere.run(&["eval", &moved, "--device", "cpu"]));

    // A finished run can be given the new place of its data, too.
    sandbox.rename("moved/set", "set");
    fine(sandbox.run(&["resume", "moved/run", "--data", "set", "--quiet"]));
    fine(sandbox.run(&["eval", "moved/run/checkpoints/00000056", "--device", "cpu"]));
}

#[test]
fn other_data_are_no_new_place_of_the_runs() {
    let sandbox = sandbox();
    fine(train(&sandbox, "run", &["--epochs", "2"]));
    sandbox.rename("set", "other");
    sandbox.spoil("other/train-images-idx3-ubyte");
    for more in [&[][..], &["--epochs", "3"]] {
        sandbox
            .run(&[&["resume", "run", "--data", "other"], more].concat())
            .refused(3)
            .because(&["train-images", "differs from the file that the run was trained on"]);
    }
    assert_eq!(record(&sandbox, "run")["changes"], Value::Null);
    let outcome = sandbox.run(&["resume", "run", "--data", "nowhere", "--epochs", "3"]);
    outcome.refused(3).because(&["nowhere"]);
}

#[test]
fn measuring_says_where_the_data_have_changed() {
    let sandbox = sandbox();
    fine(train(&sandbox, "run", &["--epochs", "1"]));
    sandbox.spoil("set/train-images-idx3-ubyte");
    let outcome = fine(sandbox.run(&["eval", "run", "--device", "cpu"]));
    assert!(outcome.stderr.contains("differs from the file that the run was trained on"), "{outcome:#?}");
    // The file of the weights does not say where the run's data are.
    let file = "run/checkpoints/00000014/model.safetensors";
    sandbox.run(&["eval", file]).refused(2).because(&["missing argument: --data <NAME|DIR>"]);
    assert_eq!(fine(sandbox.run(&["eval", file, "--data", "set", "--device", "cpu"])).stderr, "");
}

#[test]
fn a_run_starts_from_the_weights_of_another() {
    let sandbox = sandbox();
    fine(train(&sandbox, "first", &["--epochs", "2"]));
    let best = sandbox.read("first/best");
    let checkpoint = format!("first/{}", best.trim());
    let file = format!("{checkpoint}/model.safetensors");
    let mut ends = Vec::new();
    for (out, init) in [("of-run", "first"), ("of-checkpoint", &checkpoint), ("of-file", &file)] {
        fine(train(&sandbox, out, &["--epochs", "1", "--init", init]));
        let config = sandbox.read(&format!("{out}/config.toml"));
        let recorded = sandbox.path().join(&file);
        assert!(config.contains(&format!("init = {:?}\n", recorded.to_str().expect("plain"))), "{config}");
        ends.push(weights(&sandbox, out));
        let gradients = ["gradcheck", "--data", "set", "--model", "linear:8,relu", "--batch-size", "16"];
        fine(sandbox.run(&[&gradients[..], &["--device", "cpu", "--init", init]].concat()));
    }
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
    fine(train(&sandbox, "fresh", &["--epochs", "1"]));
    assert_ne!(weights(&sandbox, "fresh"), ends[0]);
    // It is no longer needed.
    fs::remove_dir_all(sandbox.path().join("first")).expect("it is there");
    resumed(&sandbox, &["of-run", "--epochs", "2"]);

    let other = ["train", "--data", "set", "--model", "linear:7,relu", "--device", "cpu", "--quiet"];
    sandbox.run(&[&other[..], &["--init", "of-run"]].concat()).refused(6).because(&["[8, 20]"]);
    train(&sandbox, "new", &["--init", "set"]).refused(6).because(&["set is neither a run nor a checkpoint"]);
    train(&sandbox, "new", &["--init", "nowhere"]).refused(2).because(&["--init nowhere: must be one of"]);
}

#[test]
fn the_folder_of_a_run_says_how_the_run_is_continued() {
    let sandbox = sandbox();
    fine(train(&sandbox, "run", &["--epochs", "1"]));
    for (state, said, advice) in [
        (json!("finished"), "a finished run", "resume run --epochs N;"),
        (json!("stopped"), "a run that was interrupted", "resume run;"),
        (json!("failed"), "a run that was interrupted", "resume run;"),
        (json!("running"), "a run that is training or was interrupted", "resume run;"),
        (json!("diverged"), "a run that diverged", "resume run --lr X;"),
        (Value::Null, "a run", "resume run;"),
    ] {
        let mut changed = record(&sandbox, "run");
        changed["state"] = state;
        sandbox.write("run/run.json", changed.to_string());
        let outcome = train(&sandbox, "run", &[]);
        outcome.refused(2).because(&[&format!("--out run: already holds {said}")]);
        let help = format!("help: continue it with: shadegrad {advice}");
        assert!(outcome.stderr.contains(&help), "{outcome:#?}");
    }
}

#[test]
fn what_became_of_a_run_is_in_its_record_and_its_log() {
    let sandbox = sandbox();
    for (normalize, advises) in [("standard", false), ("unit", true)] {
        let flags = ["--epochs", "3", "--lr", "1e9", "--normalize", normalize];
        let outcome = train(&sandbox, normalize, &flags);
        assert_eq!(outcome.code, Some(5), "{outcome:#?}");
        assert_eq!(outcome.stderr.contains("--normalize standard"), advises, "{outcome:#?}");
        let record = record(&sandbox, normalize);
        let error = record["error"].as_str().expect("there is one");
        assert_eq!(record["state"], "diverged");
        assert!(error.starts_with("training diverged: "), "{error}");
        assert!(outcome.stderr.contains(error), "{outcome:#?}");
        assert!(sandbox.read(&format!("{normalize}/log.txt")).contains(&format!(" error: {error}\n")));
    }
    resumed(&sandbox, &["standard", "--lr", "0.01"]);
    let record = record(&sandbox, "standard");
    assert_eq!((&record["state"], record.get("error")), (&json!("finished"), None));
}
