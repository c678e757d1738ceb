//! The precedence of the sources of a value; `config show` names the source.

use serde_json::Value;
use shadegrad::config::presets;

use crate::cli::support::{Sandbox, fine, finish, shadegrad};

/// The value of a key and its source, from `config show --json`.
fn shown(sandbox: &Sandbox, key: &str, arguments: &[&str], environment: &[(&str, &str)]) -> (Value, String) {
    let arguments = [&["config", "show", "--json"], arguments].concat();
    let mut command = sandbox.command(&arguments);
    let outcome = fine(finish(command.envs(environment.iter().copied())));
    let events = outcome.events();
    assert_eq!(events[0]["event"], "config");
    let origin = events[0]["origins"][key].as_str().unwrap_or_default();
    (events[0]["config"][key].clone(), origin.into())
}

#[test]
fn each_source_goes_before_the_one_below() {
    let sandbox = Sandbox::new();
    sandbox.write("mine.toml", "# mine\nepochs = 7\ndevice = \"file\"\npreset = \"lab-cifar10\"\n");
    let file = ["--config", "mine.toml"];
    let show =
        |key, arguments: &[&[&str]], environment| shown(&sandbox, key, &arguments.concat(), environment);
    let pair = |value: Value, origin: &str| (value, origin.to_string());

    assert_eq!(show("warmup", &[], &[]), pair(0.0.into(), "default"));
    assert_eq!(show("preset", &[], &[]), pair("fashion-mnist".into(), "default"));
    assert_eq!(show("epochs", &[&["lab-cifar10"]], &[]), pair(20.into(), "preset lab-cifar10"));
    assert_eq!(show("epochs", &[&file], &[]), pair(7.into(), "mine.toml:2:10"));
    assert_eq!(show("epochs", &[&file, &["--epochs", "9"]], &[]), pair(9.into(), "command line"));
    // A file may name a preset; the values of the file override the preset's.
    assert_eq!(show("batch-size", &[&file], &[]), pair(1.into(), "preset lab-cifar10"));
    assert_eq!(show("preset", &[&file], &[]), pair("lab-cifar10".into(), "mine.toml:4:10"));
    assert_eq!(show("batch-size", &[&["cifar10-mlp"], &file], &[]), pair(128.into(), "preset cifar10-mlp"));

    let environment: &[(&str, &str)] = &[("SHADEGRAD_DEVICE", "variable")];
    let variable = "environment variable SHADEGRAD_DEVICE";
    assert_eq!(show("device", &[], &[]), pair("auto".into(), "default"));
    assert_eq!(show("device", &[&file], &[]), pair("file".into(), "mine.toml:3:10"));
    assert_eq!(show("device", &[&file], environment), pair("variable".into(), variable));
    assert_eq!(
        show("device", &[&file, &["--device", "flag"]], environment),
        pair("flag".into(), "command line")
    );
    assert_eq!(show("device", &[], &[("SHADEGRAD_DEVICE", "")]), pair("auto".into(), "default"));
    let data = show("data-dir", &[], &[("SHADEGRAD_DATA", "/x")]);
    assert_eq!(data, pair("/x".into(), "environment variable SHADEGRAD_DATA"));
}

#[test]
fn switches_can_be_turned_back() {
    let sandbox = Sandbox::new();
    sandbox.write("mine.toml", "shuffle = false\nnesterov = true\n");
    let show =
        |key, flags: &[&str]| shown(&sandbox, key, &[&["--config", "mine.toml"], flags].concat(), &[]).0;
    assert_eq!(show("shuffle", &[]), false);
    assert_eq!(show("shuffle", &["--shuffle"]), true);
    assert_eq!(show("nesterov", &[]), true);
    assert_eq!(show("nesterov", &["--no-nesterov"]), false);
}

#[test]
fn the_printed_configuration_can_be_read_again() {
    let sandbox = Sandbox::new();
    let line = "config show lab-cifar10 --lr 0.0123 --seed 18446744073709551615 --no-shuffle --max-steps 5";
    let first = fine(sandbox.run(&line.split(' ').collect::<Vec<_>>()));
    assert!(first.stdout.contains("lr = 0.0123 "), "{first:#?}");
    sandbox.write("again.toml", &first.stdout);
    let second = fine(sandbox.run(&["config", "show", "--config", "again.toml"]));
    let values = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  #").next().unwrap_or_default().trim().into()).collect()
    };
    assert_eq!(values(&first.stdout), values(&second.stdout));
    assert!(second.stdout.contains("# again.toml:1:"), "{second:#?}");
}

#[test]
fn every_preset_is_listed_and_can_be_shown() {
    let events = shadegrad(&["config", "presets", "--json"]).events();
    let presets = events[0]["presets"].as_array().expect("a list");
    let names: Vec<_> = presets.iter().filter_map(|preset| preset["name"].as_str()).collect();
    assert_eq!(names, presets::NAMES);
    let table = shadegrad(&["config", "presets"]).stdout;
    for preset in presets {
        let name = preset["name"].as_str().expect("a name");
        assert!(preset["description"].as_str().is_some_and(|text| !text.is_empty()), "{preset}");
        assert!(table.contains(name), "{table}");
        assert_eq!(shadegrad(&["config", "show", name]).code, Some(0));
    }
}
