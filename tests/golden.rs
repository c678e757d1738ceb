//! Whole training runs compared with an independent float64 reference, on the CPU and on the GPU.
//!
//! `tests/golden/README.md` says where the numbers come from. Each case starts from given weights,
//! takes a given number of SGD steps in file order, and must end with the reference's weights. The
//! metrics of every epoch must also be the reference's. Without a GPU the GPU's test fails.

mod comparer;

use comparer::{Tensors, complaints, read_tensors};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tolerance of an epoch's loss, relative to the reference.
const LOSS_TOLERANCE: f64 = 1e-4;

/// One run in `tests/golden/cases.json`. Paths are relative to `tests/golden`.
#[derive(Deserialize)]
struct Case {
    name: String,
    data: String,
    start: String,
    expected: String,
    steps: usize,
    momentum: f64,
    optimizer: String,
    /// Length of the schedules in epochs; out of reach if the number of steps ends the run.
    planned_epochs: usize,
    epochs: Vec<Value>,
    /// The seed that the reference drew the initial weights with.
    #[serde(rename = "start_seed")]
    _start_seed: u64,
    /// Keys of the program, with their values.
    #[serde(flatten)]
    keys: BTreeMap<String, Value>,
}

/// The reference's metrics of an epoch; the last one may have been cut off by the number of steps.
const METRICS: [&str; 8] = [
    "epoch",
    "step",
    "train_loss",
    "train_cross_entropy",
    "train_accuracy",
    "test_loss",
    "test_cross_entropy",
    "test_accuracy",
];

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(golden("cases.json")).expect("cases.json is readable");
    let cases: Vec<Case> = serde_json::from_str(&text).expect("cases.json fits `Case`");
    // So that a change of the file cannot silently leave little to compare.
    assert!(cases.len() > 50, "only {} golden cases", cases.len());
    cases
}

/// Trains one case with the program. Returns the final weights and the lines of standard output.
fn train(case: &Case, device: &str) -> (Tensors, Vec<Value>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_shadegrad"));
    // Environment variables of the developer must not affect the run.
    command.current_dir(folder.path());
    command.env_remove("SHADEGRAD_DATA");
    command.arg("train");
    command.arg("--data").arg(golden(&case.data));
    command.arg("--init").arg(golden(&case.start));
    command.arg("--out").arg(&run);
    for (flag, value) in [
        ("--max-steps", case.steps.to_string()),
        ("--optimizer", case.optimizer.clone()),
        ("--epochs", case.planned_epochs.to_string()),
        ("--schedule-steps", format!("{}e", case.planned_epochs)),
        ("--device", device.into()),
    ] {
        command.arg(flag).arg(value);
    }
    if case.optimizer == "sgd" {
        command.arg("--momentum").arg(case.momentum.to_string());
    }
    // Keys that only some optimizers and schedules have are null, false or empty in other cases.
    for (key, value) in &case.keys {
        let flag = format!("--{}", key.replace('_', "-"));
        match value {
            Value::Bool(true) => command.arg(flag),
            Value::Number(number) => command.arg(flag).arg(number.to_string()),
            Value::String(text) if !text.is_empty() => command.arg(flag).arg(text),
            _ => &mut command,
        };
    }
    command.args(["--no-shuffle", "--json"]);

    let output = command.output().expect("the program starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{} on {device}: {}\n{command:?}\n{stdout}\n{stderr}",
        case.name,
        output.status
    );
    let events = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in: {line}")))
        .collect();

    let last = std::fs::read_to_string(run.join("last")).expect("the run directory has `last`");
    let model = run.join(last.trim()).join("model.safetensors");
    (read_tensors(&model), events)
}

/// All events of one kind.
fn events_of<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event"] == kind).collect()
}

/// Checks that the run used the device it claims, so that one device cannot stand in for the other.
fn device_complaints(device: &str, events: &[Value]) -> Vec<String> {
    let starts = events_of(events, "start");
    let on_gpu = starts.iter().any(|start| {
        let backend = start["device"]["backend"].as_str().unwrap_or_default();
        ["vulkan", "metal", "dx12"].contains(&backend.to_lowercase().as_str())
    });
    let agrees = starts.len() == 1 && on_gpu == (device == "gpu");
    if agrees { Vec::new() } else { vec![format!("ran elsewhere: {starts:?}")] }
}

/// A number, or NaN.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// Differences between the events of a run and the reference. A metric that is missing or not a
/// number counts as NaN and is wrong.
fn event_complaints(case: &Case, events: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let epochs = events_of(events, "epoch");
    if epochs.len() != case.epochs.len() {
        let (got, wanted) = (epochs.len(), case.epochs.len());
        wrong.push(format!("{got} epoch events instead of {wanted}"));
    }
    for (expected, event) in case.epochs.iter().zip(epochs) {
        for key in METRICS {
            let wanted = number(&expected[key]);
            let tolerance = match key {
                "epoch" | "step" => 0.0,
                // Rounding may change a few predictions; otherwise accuracies are equal up to f32
                // digits.
                _ if key.ends_with("accuracy") => number(&expected[format!("{key}_doubt")]) + 1e-6,
                _ => LOSS_TOLERANCE * wanted,
            };
            let got = number(&event[key]);
            let agrees = (got - wanted).abs() <= tolerance;
            if !agrees {
                wrong.push(format!("epoch {}: {key} {got} instead of {wanted}", expected["epoch"]));
            }
        }
    }
    match events_of(events, "end")[..] {
        [end] if end["steps"].as_u64() == Some(case.steps as u64) => {}
        ref ends => wrong.push(format!("one end event with the steps, not {ends:?}")),
    }
    wrong
}

/// All cases run before the test fails, so that one run shows all failures.
fn follow_the_reference(device: &str) {
    let mut wrong = Vec::new();
    let mut worst = 0.0_f64;
    for case in cases() {
        let expected = read_tensors(&golden(&case.expected));
        let (weights, events) = train(&case, device);
        let (error, about_weights) = complaints(&expected, &weights);
        worst = worst.max(error);
        println!("{device} {}: largest error {error:.1e}", case.name);
        let found = [about_weights, event_complaints(&case, &events), device_complaints(device, &events)];
        for complaint in found.concat() {
            wrong.push(format!("{} on {device}: {complaint}", case.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    println!("{device}: all cases agree, largest error {worst:.1e}");
}

#[test]
fn cpu_follows_the_reference() {
    follow_the_reference("cpu");
}

#[test]
fn gpu_follows_the_reference() {
    follow_the_reference("gpu");
}

#[test]
fn golden_catches_one_weight_off_by_a_ten_thousandth() {
    for case in cases() {
        let expected = read_tensors(&golden(&case.expected));
        assert!(complaints(&expected, &expected).1.is_empty());
        for name in expected.keys() {
            let mut spoiled = expected.clone();
            let values = &mut spoiled.get_mut(name).expect("its own name").values;
            let largest =
                values.iter_mut().max_by(|a, b| a.abs().total_cmp(&b.abs())).expect("no tensor is empty");
            *largest *= 1.0 + 1e-4;
            let wrong = complaints(&expected, &spoiled).1;
            assert_eq!(wrong.len(), 1, "{} {name}: {wrong:?}", case.name);
            assert!(wrong[0].contains(name.as_str()), "{wrong:?}");
        }
    }
}

#[test]
fn golden_catches_every_other_kind_of_difference() {
    let case = &cases()[0];
    let expected = read_tensors(&golden(&case.expected));
    type Spoiler = (&'static str, fn(&mut Tensors));
    let spoilers: [Spoiler; 6] = [
        ("start weights", |_| {}),
        ("NaN", |tensors| weight(tensors)[3] = f64::NAN),
        ("infinity", |tensors| weight(tensors)[3] = f64::INFINITY),
        ("missing tensor", |tensors| {
            tensors.remove("0.bias").expect("it was there");
        }),
        ("extra tensor", |tensors| {
            let bias = tensors["0.bias"].clone();
            tensors.insert("1.bias".into(), bias);
        }),
        ("transposed shape", |tensors| {
            tensors.get_mut("0.weight").expect("it was there").shape.reverse();
        }),
    ];
    for (kind, spoil) in spoilers {
        let mut spoiled =
            if kind == "start weights" { read_tensors(&golden(&case.start)) } else { expected.clone() };
        spoil(&mut spoiled);
        assert!(!complaints(&expected, &spoiled).1.is_empty(), "{kind}");
    }
}

fn weight(tensors: &mut Tensors) -> &mut [f64] {
    &mut tensors.get_mut("0.weight").expect("it was there").values
}

#[test]
fn golden_catches_wrong_events() {
    let case = &cases()[0];
    let epochs = case.epochs.iter().map(|epoch| {
        let mut event = epoch.clone();
        event["event"] = "epoch".into();
        event
    });
    let end = serde_json::json!({"event": "end", "steps": case.steps});
    let events: Vec<Value> = epochs.chain([end]).collect();
    assert!(event_complaints(case, &events).is_empty());

    for key in METRICS {
        let mut off = events.clone();
        let value = off[2][key].as_f64().expect("a number");
        off[2][key] = (value * 1.001).into();
        assert_eq!(event_complaints(case, &off).len(), 1, "{key} off");
        off[2][key] = Value::Null;
        assert_eq!(event_complaints(case, &off).len(), 1, "{key} null");
    }
    let start = |backend: &str| [serde_json::json!({"event": "start", "device": {"backend": backend}})];
    assert!(device_complaints("gpu", &start("Vulkan")).is_empty());
    assert!(device_complaints("cpu", &start("cpu")).is_empty());
    assert_eq!(device_complaints("gpu", &start("cpu")).len(), 1);
    assert_eq!(device_complaints("cpu", &start("vulkan")).len(), 1);
    assert_eq!(device_complaints("gpu", &[]).len(), 1);

    let mut short = events.clone();
    short.remove(7);
    assert_eq!(event_complaints(case, &short).len(), 1, "a missing epoch");
    let mut endless = events;
    endless.pop();
    assert_eq!(event_complaints(case, &endless).len(), 1, "no end");
}
