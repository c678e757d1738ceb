//! A run that an older version recorded: commit 3d1d49d, interrupted at step 220 of 360. This
//! version resumes, evaluates and exports it.
//!
//! The old version trained the same configuration without an interruption: test loss 0.58826, test
//! accuracy 79.03 %. Processors whose vectors have different widths round differently, so metrics
//! are compared, and not bits.

use std::path::{Path, PathBuf};

use crate::resume::support::metrics;
use crate::samples::program::program;

/// Test loss and accuracy of the whole run, as the older version found them.
const LOSS: f64 = 0.588_260_7;
const ACCURACY: f64 = 0.7903;

/// And after its first epoch.
const FIRST_ACCURACY: f64 = 0.7646;

/// Where Fashion-MNIST is.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");

/// A copy of the recorded run, in a folder of its own.
fn copy_of_run() -> (tempfile::TempDir, PathBuf) {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let run = temporary.path().join("run");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/resume/run_of_3d1d49d"), &run);
    (temporary, run)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder can be listed") {
        let (from, to) = {
            let entry = entry.expect("an entry");
            (entry.path(), to.join(entry.file_name()))
        };
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}

/// What the program prints on standard output, where it succeeds.
fn output(folder: &Path, arguments: &[&str]) -> String {
    let output = program(folder, arguments).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("it prints text")
}

#[test]
fn an_older_versions_run_is_resumed_to_the_end_that_it_would_have_had() {
    let (folder, run) = copy_of_run();
    output(folder.path(), &["resume", "run", "--data-dir", DATA, "--device", "cpu", "--quiet"]);
    let metrics = metrics(&run);
    let last = metrics.last().expect("epochs were recorded");
    assert_eq!((last["epoch"].as_u64(), last["step"].as_u64()), (Some(3), Some(360)));
    let figure = |name: &str| last[name].as_f64().expect("it is a number");
    assert!((figure("test_loss") - LOSS).abs() < 1e-3 * LOSS, "{last}");
    assert!((figure("test_accuracy") - ACCURACY).abs() < 2e-3, "{last}");
}

#[test]
fn an_older_versions_model_is_measured_and_exported() {
    let (folder, _) = copy_of_run();
    let text = output(folder.path(), &["eval", "run", "--data-dir", DATA, "--device", "cpu", "--json"]);
    let found: serde_json::Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    let accuracy = found["accuracy"].as_f64().expect("it is a number");
    assert!((accuracy - FIRST_ACCURACY).abs() < 2e-3, "{found}");
    for (format, name) in [("onnx", "model.onnx"), ("safetensors", "model.safetensors")] {
        output(folder.path(), &["export", "run", "--format", format, "--out", name]);
        assert!(folder.path().join(name).metadata().expect("it was written").len() > 1000, "{name}");
    }
}
