//! Small runs, within the test's process and outside of it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use shadegrad::Error;

use crate::samples::program::program;
pub use crate::samples::small_run::{config, dataset, device};
pub use crate::samples::witness::{Witness, resume, train};

/// Arguments that train on the small data set of the golden runs, recorded in `out`.
pub fn train_arguments<'a>(out: &'a str, device: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/data/six-classes-5x4");
    let common = ["train", "--data", DATA, "--model", "linear:8,relu"];
    [&common[..], &["--device", device, "--out", out, "--json"], more].concat()
}

/// The objects that a run printed.
pub fn events(stdout: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The last object that a program prints, and its complaints. It must succeed.
#[track_caller]
pub fn finished(command: &mut Command) -> (Value, String) {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{output:?}");
    let end = events(&output.stdout).pop().unwrap_or_else(|| panic!("no end: {output:?}"));
    (end, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Trains in `straight` without an interruption. Returns the end.
pub fn straight(folder: &Path, device: &str, more: &[&str]) -> Value {
    finished(&mut program(folder, &train_arguments("straight", device, more))).0
}

/// Resumes a run and asserts that it ends like the one in `straight`, and leaves nothing behind.
#[track_caller]
pub fn goes_on_like_straight(folder: &Path, name: &str, straight: &Value) {
    let (end, said) = finished(&mut program(folder, &["resume", name, "--json"]));
    assert_eq!(said.matches("damaged").count(), 0, "{name}: {said}");
    for field in ["weights_sha256", "steps", "epochs", "best_epoch", "test_accuracy", "test_loss"] {
        assert_eq!(end[field], straight[field], "{field} of {name}");
    }
    assert_eq!(metrics(&folder.join(name)), metrics(&folder.join("straight")), "{name}");
    assert_eq!(leftovers(&folder.join(name)), [""; 0], "{name}");
}

/// The lines of a run's metrics, without timings.
pub fn metrics(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).expect("there are metrics");
    let mut events = events(text.as_bytes());
    for event in &mut events {
        for field in ["seconds", "images_per_second"] {
            event.as_object_mut().expect("an object").remove(field).expect("it is there");
        }
    }
    events
}

/// The first column and the number of lines of a run's spreadsheet.
pub fn csv_epochs(run: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(run.join("metrics.csv")).expect("there are metrics");
    text.lines().map(|line| line.split(',').next().unwrap_or_default().to_owned()).collect()
}

/// Names of all temporary files in a run's folder.
pub fn leftovers(run: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for folder in [run.to_path_buf(), run.join("checkpoints")] {
        for entry in std::fs::read_dir(folder).expect("it is readable") {
            let name = entry.expect("it is readable").file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name.contains("tmp") {
                names.push(name);
            }
        }
    }
    names
}

/// One line for the error, and one for what to do.
pub fn both(error: &Error) -> String {
    format!("{error}; {}", error.advice().unwrap_or_default())
}
