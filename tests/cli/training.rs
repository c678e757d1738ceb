//! Whole runs: `train` and `eval` on small data, on the CPU and on the GPU.

use std::process::Stdio;

use serde_json::Value;

use crate::cli::support::{Outcome, Sandbox, fine, finish, without_gpu};

/// The small data set of the golden runs.
pub fn data() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/data/six-classes-5x4").into()
}

/// Arguments of a very short run.
fn short_run<'a>(data: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let common =
        ["train", "--data", data, "--model", "linear:8,relu", "--batch-size", "16", "--max-steps", "20"];
    [&common, more].concat()
}

fn trained(sandbox: &Sandbox, more: &[&str]) -> Outcome {
    let data = data();
    fine(sandbox.run(&short_run(&data, more)))
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

fn emits_what_scripts_rely_on(device: &str) {
    let sandbox = Sandbox::new();
    let events = trained(&sandbox, &["--device", device, "--json", "--out", "run"]).events();
    let start = &events[0];
    assert_eq!(start["event"], "start");
    for field in ["name", "backend", "driver", "type"] {
        assert!(start["device"][field].is_string(), "device.{field} in {start}");
    }
    assert_eq!(start["device"]["backend"] == "cpu", device == "cpu", "{start}");
    for field in ["name", "train", "test", "classes", "shape"] {
        assert!(!start["dataset"][field].is_null(), "dataset.{field} in {start}");
    }
    assert!(
        start["model"].as_str().is_some_and(|model| model.starts_with("linear:8,relu,linear:")),
        "{start}"
    );
    assert!(start["parameters"].as_u64().is_some_and(|count| count > 0), "{start}");
    assert_eq!(start["seed"], 0);
    assert_eq!(start["run"], "run");
    assert_eq!(start["config"]["batch-size"], 16);

    let epochs = of_kind(&events, "epoch");
    assert!(!epochs.is_empty());
    for (index, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch["epoch"], index + 1);
        for field in [
            "step",
            "train_loss",
            "train_accuracy",
            "test_loss",
            "test_accuracy",
            "train_cross_entropy",
            "test_cross_entropy",
            "learning_rate",
            "seconds",
            "images_per_second",
        ] {
            assert!(epoch[field].is_number(), "{field} in {epoch}");
        }
    }
    let end = events.last().expect("there are events");
    assert_eq!(end["event"], "end");
    assert_eq!(end["steps"], 20);
    assert_eq!(end["epochs"], epochs.len());
    for field in ["seconds", "test_accuracy", "test_loss", "best_epoch"] {
        assert!(end[field].is_number(), "{field} in {end}");
    }
    assert_eq!(end["weights_sha256"].as_str().map(str::len), Some(64), "{end}");
    assert_eq!(end["run"], "run");
}

#[test]
fn json_of_a_run_on_the_cpu() {
    emits_what_scripts_rely_on("cpu");
}

#[test]
fn json_of_a_run_on_the_gpu() {
    emits_what_scripts_rely_on("gpu");
}

#[test]
fn a_run_prints_a_table_without_escape_codes() {
    let sandbox = Sandbox::new();
    let outcome = trained(&sandbox, &["--device", "cpu"]);
    for title in ["epoch", "train loss", "train acc", "test loss", "test acc", "seconds", "images/s"] {
        assert!(outcome.stdout.contains(title), "no {title}: {outcome:#?}");
    }
    assert!(!outcome.stdout.contains('\u{1b}'), "{outcome:#?}");
    assert_eq!(outcome.stderr, "", "nothing to say, and no bar where nobody sees it");
}

#[test]
fn quiet_says_nothing() {
    let outcome = trained(&Sandbox::new(), &["--device", "cpu", "--quiet"]);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
}

#[test]
fn without_a_driver_auto_trains_on_the_cpu_and_says_so_once() {
    let (sandbox, data) = (Sandbox::new(), data());
    let outcome = fine(finish(without_gpu(&mut sandbox.command(&short_run(&data, &["--json"])))));
    assert_eq!(outcome.events()[0]["device"]["backend"], "cpu");
    let notes: Vec<_> = outcome.stderr.lines().filter(|line| line.starts_with("note: ")).collect();
    assert_eq!(notes.len(), 1, "{outcome:#?}");
    assert!(notes[0].starts_with("note: using the CPU: no GPU was found"), "{notes:?}");
}

#[test]
fn runs_of_one_second_get_folders_of_their_own() {
    let sandbox = Sandbox::new();
    for _ in 0..3 {
        trained(&sandbox, &["--device", "cpu", "--quiet"]);
    }
    let runs = std::fs::read_dir(sandbox.path().join("runs")).expect("there are runs");
    let names: Vec<_> = runs.map(|run| run.expect("it is readable").file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().all(|name| name.to_string_lossy().contains("-six-classes-5x4")), "{names:?}");
}

#[test]
fn a_reader_that_leaves_ends_the_run_in_silence() {
    let (sandbox, data) = (Sandbox::new(), data());
    let mut child = sandbox
        .command(&short_run(&data, &["--device", "cpu", "--json"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(141), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn eval_finds_what_training_measured() {
    let (sandbox, data) = (Sandbox::new(), data());
    let events = trained(&sandbox, &["--device", "cpu", "--json", "--out", "run"]).events();
    let best = events.last().expect("there is an end")["best_epoch"].as_u64();
    let epochs = of_kind(&events, "epoch");
    let best =
        epochs.into_iter().find(|epoch| epoch["epoch"].as_u64() == best).expect("there is a best epoch");
    for device in ["cpu", "gpu"] {
        let arguments = ["eval", "run", "--data", &data, "--device", device];
        let json = fine(sandbox.run(&[&arguments[..], &["--json"]].concat()));
        let evaluation = &json.events()[0];
        assert_eq!(evaluation["event"], "evaluation");
        for (found, expected) in [("loss", "test_cross_entropy"), ("accuracy", "test_accuracy")] {
            let [found, expected] =
                [&evaluation[found], &best[expected]].map(|value| value.as_f64().expect("a number"));
            assert!((found - expected).abs() < 1e-5, "{found} is not {expected}: {evaluation}");
        }
        let classes = evaluation["classes"].as_array().expect("a list");
        let confusion = evaluation["confusion"].as_array().expect("a list");
        assert_eq!((classes.len(), confusion.len()), (6, 6));
        let images: u64 = classes.iter().filter_map(|class| class["images"].as_u64()).sum();
        assert_eq!(evaluation["images"].as_u64(), Some(images));
        let commonest = classes.iter().filter_map(|class| class["images"].as_u64()).max();
        let share = commonest.expect("there are classes") as f64 / images as f64;
        let majority = evaluation["majority_accuracy"].as_f64().expect("a number");
        assert!((majority - share).abs() < 1e-12, "{majority} is not {share}");

        let table = sandbox.run(&arguments);
        for title in ["accuracy", "baseline", "precision", "recall", "F1", "true class"] {
            assert!(table.stdout.contains(title), "no {title}: {table:#?}");
        }
        assert!(!table.stdout.contains('\u{1b}'), "{table:#?}");
    }
}

#[test]
fn eval_takes_weights_of_another_program_with_their_model() {
    let (sandbox, data) = (Sandbox::new(), data());
    let weights = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/start/small-two-plain-256.safetensors");
    let arguments = ["eval", weights, "--data", &data, "--device", "cpu"];
    sandbox.run(&arguments).refused(6);
    let cases: Value = serde_json::from_str(include_str!("../golden/cases.json")).expect("it is JSON");
    let case = cases.as_array().expect("a list").iter().find(|case| case["name"] == "small-two-plain-256");
    let model = case.expect("it is there")["model"].as_str().expect("text");
    fine(sandbox.run(&[&arguments[..], &["--model", model]].concat()));
    sandbox.run(&[&arguments[..], &["--model", "linear:999,relu"]].concat()).refused(6);
}

#[test]
fn a_run_can_be_repeated_from_its_configuration() {
    let sandbox = Sandbox::new();
    let hash = |outcome: Outcome| outcome.events().last().expect("there is an end")["weights_sha256"].clone();
    let flags = ["--device", "cpu", "--json", "--lr", "0.0123", "--seed", "7", "--out", "one"];
    let first = hash(trained(&sandbox, &flags));
    let again = ["train", "--config", "one/config.toml", "--device", "cpu", "--json", "--out", "two"];
    assert_eq!(hash(fine(sandbox.run(&again))), first);
}

/// Signals a run in progress and returns its exit code.
#[cfg(unix)]
fn code_after(signal: &str) -> Option<i32> {
    let (sandbox, data) = (Sandbox::new(), data());
    // A run that ignores the signal ends after a while, with the wrong code.
    let arguments = ["train", "--data", &data, "--epochs", "3000", "--device", "cpu", "--json"];
    let mut command = sandbox.command(&arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
    // Its first line says that the run has started.
    let mut lines = std::io::BufReader::new(child.stdout.take().expect("it is piped"));
    std::io::BufRead::read_line(&mut lines, &mut String::new()).expect("there is a first line");
    let sent = std::process::Command::new("kill").arg(signal).arg(child.id().to_string()).status();
    assert!(sent.expect("there is a kill").success());
    std::io::copy(&mut lines, &mut std::io::sink()).expect("the rest is readable");
    child.wait().expect("the program ends").code()
}

#[cfg(unix)]
#[test]
fn signals_end_a_run_with_their_codes() {
    assert_eq!(code_after("-INT"), Some(130));
    assert_eq!(code_after("-TERM"), Some(143));
}

#[test]
fn a_batch_that_is_larger_than_the_data_is_all_of_them() {
    let (sandbox, data) = (Sandbox::new(), data());
    let train = |size| {
        let common = ["train", "--data", &data, "--epochs", "2", "--device", "cpu", "--json", "--batch-size"];
        let outcome = fine(sandbox.run(&[&common[..], &[size]].concat()));
        let hash = of_kind(&outcome.events(), "end")[0]["weights_sha256"].to_string();
        (hash, outcome.stderr)
    };
    let ((all, silence), (more, note)) = (train("211"), train("4294967295"));
    assert_eq!(all, more);
    assert!(!silence.contains("batch-size"), "{silence}");
    assert!(
        note.contains("note: --batch-size 4294967295: each step uses all 211 training images of six"),
        "{note}"
    );
}
