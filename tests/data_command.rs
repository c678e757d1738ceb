//! `shadegrad data`, as users and scripts see it.

use crate::samples::data_sets::{cifar_archive, cifar_files};
use serde_json::Value;
use shadegrad::data::cifar::CIFAR_10;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs `shadegrad data` with an empty cache. It must end with this code.
#[track_caller]
fn data(home: &Path, arguments: &[&str], code: i32) -> Output {
    let output = command(home, arguments).output().unwrap();
    expect_exit(&output, code);
    output
}

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shadegrad"));
    command
        .arg("data")
        .args(arguments)
        .env_remove("SHADEGRAD_DATA")
        .env_remove("XDG_CACHE_HOME")
        .env("HOME", home)
        .env("USERPROFILE", home)
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    assert!(!bytes.contains(&0x1b), "an escape code in piped output");
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn json(output: &Output) -> Value {
    let object: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(object["schema"], 1);
    assert!(object["event"].as_str().unwrap().starts_with("data-"));
    object
}

#[track_caller]
fn expect_exit(output: &Output, code: i32) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
}

#[test]
fn list_names_every_set() {
    let home = tempfile::tempdir().unwrap();
    let output = data(home.path(), &["list"], 0);
    let listed = text(&output.stdout);
    for name in ["fashion-mnist", "mnist", "cifar10", "cifar100"] {
        assert!(listed.lines().any(|line| line.starts_with(name)), "{listed}");
    }
    let object = json(&data(home.path(), &["list", "--json"], 0));
    assert_eq!(object["sets"][0]["name"], "fashion-mnist");
    assert_eq!(object["sets"][0]["files"].as_array().unwrap().len(), 4);
    assert_eq!(object["sets"][2]["train_images"], 50_000);
}

#[test]
fn verify_and_stats_describe_the_vendored_set() {
    let home = tempfile::tempdir().unwrap();
    let output = data(home.path(), &["verify", "fashion-mnist", "--json"], 0);
    assert_eq!(json(&output)["official"], true);
    let output = data(home.path(), &["stats", "fashion-mnist", "--json"], 0);
    let object = json(&output);
    assert_eq!(object["train"]["images"], 60_000);
    assert_eq!(object["test"]["per_class"][9], 1000);
    assert!((object["mean"][0].as_f64().unwrap() - 0.2860).abs() < 0.0001);
    let said = text(&data(home.path(), &["stats", "fashion-mnist"], 0).stdout);
    assert!(said.contains("Ankle boot") && said.contains("[0.3530]"), "{said}");
}

#[test]
fn stats_draws_a_preview() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("sheet.png");
    let path = file.to_str().unwrap();
    fs::write(&file, "replaced").unwrap();
    let arguments = ["stats", "fashion-mnist", "--preview", path];
    let output = data(home.path(), &[&arguments[..], &["--flip", "random", "--crop", "3"]].concat(), 0);
    assert!(text(&output.stdout).ends_with(&format!("preview: {path}\n")));
    let changed = image::open(&file).unwrap();
    let output = data(home.path(), &[&arguments[..], &["--json"]].concat(), 0);
    assert_eq!(json(&output)["preview"], path);
    let plain = image::open(&file).unwrap();
    assert_eq!(changed.height(), plain.height());
    // One more byte after the images.
    assert!(changed.width() > plain.width());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing else is left there");
}

#[test]
fn verify_fails_for_what_is_not_official() {
    let home = tempfile::tempdir().unwrap();
    let archive = home.path().join(CIFAR_10.archive);
    fs::write(&archive, cifar_archive(&CIFAR_10, &cifar_files(&CIFAR_10))).unwrap();
    let folder = home.path().to_str().unwrap();
    let output = data(home.path(), &["verify", "cifar10", "--data-dir", folder], 3);
    let said = text(&output.stdout);
    assert!(said.contains("not the official file: found"), "{said}");
    let message = text(&output.stderr);
    assert!(message.contains(CIFAR_10.archive), "{message}");
}

#[test]
fn mistakes_have_their_exit_codes() {
    let home = tempfile::tempdir().unwrap();
    let empty = home.path().to_str().unwrap();
    for (arguments, code) in [
        (&["stats", "fashion-mist"][..], 3),
        (&["fetch", "fashion-mist"], 3),
        (&["verify", "fashion-mist"], 3),
        (&["verify", empty], 3),
        (&["stats", "cifar100", "--data-dir", empty], 3),
        (&["fetch", "mnist", "--from", empty], 3),
        (&["fetch"], 2),
        (&["bake"], 2),
    ] {
        let output = data(home.path(), arguments, code);
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn fetch_imports_official_files() {
    let home = tempfile::tempdir().unwrap();
    let vendored = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let target = home.path().join("sets");
    let [from, to] = [&vendored, &target].map(|path| path.to_str().unwrap());
    let arguments = ["fetch", "fashion-mnist", "--from", from, "--data-dir", to, "--json"];
    let output = data(home.path(), &arguments, 0);
    assert_eq!(json(&output)["files"][3]["origin"], "imported");
    let verify = ["verify", "fashion-mnist", "--data-dir", to];
    data(home.path(), &verify, 0);
}

#[test]
fn the_environment_names_a_folder() {
    let home = tempfile::tempdir().unwrap();
    let archive = home.path().join(CIFAR_10.archive);
    fs::write(&archive, b"not read by `list`").unwrap();
    let mut command = command(home.path(), &["list", "--json"]);
    let output = command.env("SHADEGRAD_DATA", home.path()).output().unwrap();
    let sets = &json(&output)["sets"];
    assert_eq!(sets[2]["files"][0].as_str(), archive.to_str());
    assert!(sets[0]["files"][0].is_string(), "the vendored set is still found");
    // The flag comes first, without other arguments.
    let empty = home.path().join("empty");
    let output = command.arg("--data-dir").arg(&empty).output().unwrap();
    let sets = &json(&output)["sets"];
    assert!(sets[0]["files"].is_null() && sets[2]["files"].is_null());
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_ends_the_command_in_silence() {
    let home = tempfile::tempdir().unwrap();
    let mut child = command(home.path(), &["stats", "fashion-mnist"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    expect_exit(&output, 141);
    assert!(output.stderr.is_empty());
}
