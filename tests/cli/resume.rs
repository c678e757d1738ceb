//! `resume` as users see it: what is resumed, what is rejected, and the messages.

use serde_json::Value;
use shadegrad::data::catalogue::Form;
use shadegrad::data::hash::fingerprint;

use crate::cli::support::{Sandbox, fine};
use crate::cli::training::data;

/// A recorded run of twenty steps, in the folder `run`.
fn recorded(more: &[&str]) -> Sandbox {
    let (sandbox, data) = (Sandbox::new(), data());
    let common =
        ["train", "--data", &data, "--model", "linear:8,relu", "--batch-size", "16", "--device", "cpu"];
    fine(sandbox.run(&[&common[..], &["--max-steps", "20", "--out", "run", "--quiet"], more].concat()));
    sandbox
}

/// The record of a run.
pub fn record(sandbox: &Sandbox, run: &str) -> Value {
    sandbox.json(&format!("{run}/run.json"))
}

/// Damages the newest checkpoint of the run.
fn damage(sandbox: &Sandbox) {
    sandbox.write("run/checkpoints/00000020/model.safetensors", "nothing");
}

#[test]
fn a_run_goes_on_from_the_checkpoint_before_a_damaged_one_and_says_so() {
    let sandbox = recorded(&["--checkpoint-every", "6"]);
    let whole = sandbox.run(&["resume", "run", "--json"]);
    damage(&sandbox);
    let outcome = fine(sandbox.run(&["resume", "run", "--json"]));
    let [note] = outcome.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{outcome:#?}") };
    assert!(note.starts_with("note: run/checkpoints/00000020 is damaged: "), "{note}");
    assert!(note.ends_with("it is run/checkpoints/00000020.damaged now"), "{note}");
    let (start, end) = (&outcome.events()[0], outcome.events().pop().expect("there is an end"));
    assert_eq!(start["step"], 18, "{start}");
    assert_eq!(whole.events()[0]["step"], 20);
    assert_eq!(end["weights_sha256"], whole.events()[1]["weights_sha256"]);
    let log = sandbox.read("run/log.txt");
    assert!(log.contains("is damaged: ") && log.contains(" resumed after step 18 on CPU"), "{log}");
    // There is no further message.
    assert_eq!(sandbox.run(&["resume", "run", "--json"]).stderr, "");
}

#[test]
fn a_table_says_where_the_run_goes_on() {
    let sandbox = recorded(&["--checkpoint-every", "6"]);
    damage(&sandbox);
    let outcome = fine(sandbox.run(&["resume", "run"]));
    assert!(outcome.stdout.contains("run, resumed at step 18\n"), "{outcome:#?}");
    assert!(!outcome.stdout.contains('\u{1b}'), "{outcome:#?}");
}

/// Removes from the recorded run everything that programs before schedules followed `--max-steps`
/// did not write.
fn make_old(sandbox: &Sandbox) {
    let edit = |config: &str| {
        let text = sandbox.read(config);
        let is_kept = |line: &&str| {
            !["schedule-steps = ", "monitor = "].iter().any(|key| line.trim_start().starts_with(key))
        };
        let old: String = text.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
        assert_ne!(old, text, "{config}");
        sandbox.write(config, old);
    };
    let mut record = record(sandbox, "run");
    for field in ["steps_per_epoch", "schedule_steps"] {
        record.as_object_mut().expect("an object").remove(field).expect("it is there");
    }
    sandbox.write("run/run.json", record.to_string());
    edit("run/config.toml");
    for checkpoint in std::fs::read_dir(sandbox.path().join("run/checkpoints")).expect("there are some") {
        let name = checkpoint.expect("an entry").file_name();
        let folder = format!("run/checkpoints/{}", name.to_str().expect("a plain name"));
        let config = format!("{folder}/config.toml");
        edit(&config);
        let hash = fingerprint(&sandbox.path().join(config), Form::AsIs).expect("it is there").sha256;
        let list = format!("{folder}/SHA256SUMS");
        let sums = sandbox.read(&list);
        let sums = sums.lines().map(|line| match line.ends_with("  config.toml") {
            true => format!("{hash}  config.toml\n"),
            false => format!("{line}\n"),
        });
        sandbox.write(&list, sums.collect::<String>());
    }
}

/// Such a run has the schedule of all its epochs, cut off by `--max-steps`.
#[test]
fn a_run_from_before_schedules_followed_max_steps_keeps_its_own() {
    let weights = |sandbox: &Sandbox| {
        let events = sandbox.run(&["resume", "run", "--json"]).events();
        events.last().expect("there is an end")["weights_sha256"].clone()
    };
    let flags = ["--checkpoint-every", "6", "--schedule", "cosine", "--epochs", "5", "--warmup", "0.1"];
    let (short, long) = (recorded(&flags), recorded(&[&flags[..], &["--schedule-steps", "5e"]].concat()));
    let (wanted, other) = (weights(&long), weights(&short));
    assert_ne!(wanted, other, "the two schedules differ");
    for sandbox in [&short, &long] {
        damage(sandbox);
    }
    assert_eq!(weights(&short), other);
    make_old(&long);
    assert_eq!(weights(&long), wanted);
}

#[test]
fn what_is_no_run_is_refused() {
    let sandbox = recorded(&[]);
    sandbox.run(&["resume", "nowhere"]).refused(6).because(&["nowhere is not the folder of a run"]);
    sandbox.run(&["resume", "run/config.toml"]).refused(6).because(&["is not the folder of a run"]);
    std::fs::remove_dir_all(sandbox.path().join("run/checkpoints")).expect("it is there");
    sandbox.folder("run/checkpoints");
    sandbox.run(&["resume", "run"]).refused(6).because(&["run has no checkpoint yet"]);
    sandbox.write("run/run.json", "{");
    sandbox.run(&["resume", "run"]).refused(6).because(&["run.json is damaged"]);
}

#[test]
fn other_data_than_the_run_began_with_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.copy(data(), "set");
    let run = ["train", "--data", "set", "--max-steps", "5", "--device", "cpu", "--out", "run", "--quiet"];
    assert_eq!(sandbox.run(&run).code, Some(0));
    assert_eq!(sandbox.run(&["resume", "run", "--quiet"]).code, Some(0));
    sandbox.spoil("set/train-labels-idx1-ubyte");
    for more in [&["--epochs", "7"][..], &["--data", "set"], &["--json"]] {
        sandbox
            .run(&[&["resume", "run"], more].concat())
            .refused(3)
            .because(&["train-labels", "differs from the file that the run was trained on"]);
    }
    // Nothing of this belongs to the run.
    let record = record(&sandbox, "run");
    assert_eq!((&record["state"], &record["changes"]), (&"finished".into(), &Value::Null), "{record}");
}

#[test]
fn another_device_is_taken_only_where_somebody_asks_for_it() {
    let sandbox = recorded(&["--checkpoint-every", "6"]);
    damage(&sandbox);
    let outcome = fine(sandbox.run(&["resume", "run", "--device", "gpu", "--json"]));
    assert!(outcome.stderr.contains("note: the run began on CPU"), "{outcome:#?}");
    assert!(outcome.stderr.contains("the rest of the run has different rounding"), "{outcome:#?}");

    let record = sandbox.read("run/run.json");
    sandbox.write("run/run.json", record.replace("\"backend\": \"cpu\"", "\"backend\": \"metal\""));
    sandbox
        .run(&["resume", "run", "--json"])
        .refused(4)
        .because(&["the run began on CPU", "(metal), which is not here"]);
}

#[test]
fn validation_is_reported_and_patience_ends_the_run() {
    let (sandbox, data) = (Sandbox::new(), data());
    let common = ["train", "--data", &data, "--device", "cpu", "--validation", "0.2", "--out", "run"];
    let outcome =
        fine(sandbox.run(&[&common[..], &["--patience", "2", "--epochs", "500", "--json"]].concat()));
    let events = outcome.events();
    let (start, end) = (&events[0], &events[events.len() - 1]);
    assert_eq!(start["dataset"]["validation"], 42, "{start}");
    assert_eq!(start["dataset"]["train"], 169, "{start}");
    for field in ["validation_loss", "validation_accuracy", "validation_cross_entropy"] {
        assert!(events[1][field].is_number(), "{field} in {}", events[1]);
    }
    assert_eq!(end["stopped_early"], true, "{end}");
    let [epochs, best] = ["epochs", "best_epoch"].map(|field| end[field].as_u64().expect("a number"));
    assert_eq!(epochs, best + 2, "{end}");
    let best = sandbox.read("run/best");
    let step =
        events.iter().find(|event| event["epoch"] == end["best_epoch"]).expect("it is there")["step"].clone();
    assert_eq!(best, format!("checkpoints/{:08}\n", step.as_u64().expect("a number")));
    let csv = sandbox.read("run/metrics.csv");
    let columns: Vec<_> = csv.lines().map(|line| line.split(',').count()).collect();
    assert!(columns.len() == 1 + epochs as usize && columns.iter().all(|&count| count == 14), "{csv}");

    let table =
        sandbox.run(&["train", "--data", &data, "--device", "cpu", "--validation", "0.2", "--epochs", "1"]);
    assert!(table.stdout.contains("  val acc  "), "{table:#?}");
    let table = sandbox.run(&["train", "--data", &data, "--device", "cpu", "--epochs", "1"]);
    assert!(!table.stdout.contains("val acc"), "{table:#?}");
}
