//! General rules: no escape codes in piped output, and never a panic.

use std::process::Command;

use crate::cli::support::{Sandbox, fine, finish};
use crate::cli::training::data;
use crate::library_speech::commands;

/// Every command, in a folder with a run in `run` and a picture. `DATA` stands for a data set,
/// `VENDORED` for the files of Fashion-MNIST.
const COMMANDS: &[&[&str]] = &[
    &["--help"],
    &["--version"],
    &["help", "data"],
    &["train", "--data", "DATA", "--epochs", "2", "--device", "cpu"],
    &["train", "--data", "DATA", "--epochs", "2", "--device", "cpu", "--json"],
    &["train", "--data", "DATA", "--epochs", "2", "--device", "cpu", "--quiet"],
    &["train", "--data", "DATA", "--epochs", "2", "--device", "cpu", "--dashboard", "0"],
    &["train", "--data", "DATA", "--epochs", "2", "--device", "gpu"],
    &["eval", "run", "--data", "DATA"],
    &["eval", "run", "--data", "DATA", "--json"],
    &["eval", "run", "--data", "DATA", "--tta", "mirror-shifts"],
    &["resume", "run"],
    &["resume", "run", "--json"],
    &["predict", "run", "photo.png"],
    &["predict", "run", "photo.png", "--json"],
    &["predict", "run", "--data", "DATA", "--logits", "logits.npy"],
    &["export", "run", "--format", "onnx", "--out", "model.onnx"],
    &["export", "run", "--format", "safetensors", "--out", "model.safetensors", "--json"],
    &["bench", "--kernels", "--seconds", "0.001", "--device", "cpu"],
    &["bench", "--kernels", "--seconds", "0.001", "--device", "cpu", "--json"],
    &["selftest", "--device", "gpu", "--only", "relu"],
    &["selftest", "--device", "gpu", "--only", "relu", "--json"],
    &["gradcheck", "--data", "DATA", "--model", "linear:3", "--device", "cpu"],
    &["gradcheck", "--data", "DATA", "--model", "linear:3", "--device", "cpu", "--json"],
    &["report", "run"],
    &["report", "run", "--json"],
    &["devices"],
    &["devices", "--json"],
    &["data", "list"],
    &["data", "list", "--json"],
    &["data", "fetch", "fashion-mnist", "--from", "VENDORED", "--data-dir", "fetched"],
    &["data", "verify", "pictures"],
    &["data", "stats", "DATA"],
    &["data", "verify", "fashion-mnist"],
    &["config", "show"],
    &["config", "show", "--json"],
    &["config", "presets"],
    &["config", "presets", "--json"],
    &["completions", "zsh"],
    // Mistakes of each kind.
    &["trian"],
    &["train", "--lr", "0"],
    &["train", "--data", "nowhere"],
    &["train", "--data", "DATA", "--lr", "1e30", "--epochs", "2", "--device", "cpu"],
    &["train", "--data", "DATA", "--device", "99"],
    &["eval", "nothing", "--data", "DATA"],
    &["report", "nothing"],
    &["resume", "nothing"],
    &["predict", "run", "nothing.png"],
    &["export", "nothing", "--format", "onnx", "--out", "model.onnx"],
    &["selftest", "--only", "rely"],
    &["selftest", "--device", "cpu"],
    &["bench", "--seconds", "0"],
    &["data", "stats", "nowhere"],
    &["data", "fetch", "nothing"],
    &["config", "shwo"],
    &["completions", "sh"],
];

/// A terminal interprets control characters, and with `*.png` the user has not read the names.
#[cfg(unix)]
#[test]
fn names_of_files_give_no_orders() {
    let (sandbox, name) = (with_run(), "\u{1b}[31mred\n.png");
    std::fs::rename(sandbox.path().join("photo.png"), sandbox.path().join(name)).expect("it is there");
    for (name, code) in [(name, 0), ("\u{1b}[31mblue\r.png", 3)] {
        let outcome = sandbox.run(&["predict", "run", name]);
        assert_eq!(outcome.code, Some(code), "{outcome:#?}");
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains("\\u{1b}[31m"), "{said:?}");
        assert!(!said.contains(['\u{1b}', '\r']), "{said:?}");
    }
}

/// The environments in which a terminal, or none, is present.
const SURROUNDINGS: &[&[(&str, Option<&str>)]] = &[
    &[("TERM", Some("xterm-256color"))],
    &[("TERM", Some("xterm-256color")), ("NO_COLOR", Some("1"))],
    &[("TERM", Some("dumb"))],
    &[("TERM", Some("xterm")), ("COLUMNS", Some("20"))],
    &[("HOME", None), ("XDG_CACHE_HOME", None), ("XDG_RUNTIME_DIR", None), ("TERM", None)],
    &[("HOME", Some("/nonexistent")), ("LANG", Some("C")), ("LC_ALL", Some("C"))],
    // Nobody, not even root, can write below a file.
    &[("HOME", Some("/dev/null")), ("XDG_CACHE_HOME", None), ("LC_ALL", Some("POSIX"))],
];

fn with_run() -> Sandbox {
    let (sandbox, data) = (Sandbox::new(), data());
    fine(sandbox.run(&["train", "--data", &data, "--epochs", "2", "--device", "cpu", "--out", "run"]));
    let photo = sandbox.path().join("photo.png");
    image::GrayImage::new(5, 4).save(&photo).expect("the folder is writable");
    sandbox.folder("pictures/cat");
    std::fs::copy(&photo, sandbox.path().join("pictures/cat/a.png")).expect("the folder is writable");
    sandbox
}

fn surrounded<'a>(command: &'a mut Command, surroundings: &[(&str, Option<&str>)]) -> &'a mut Command {
    for (name, value) in surroundings {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[test]
fn every_command_keeps_escape_codes_out_of_pipes() {
    let (sandbox, data) = (with_run(), data());
    for arguments in COMMANDS {
        let meant = |word: &'static str| match word {
            "DATA" => data.clone(),
            "VENDORED" => concat!(env!("CARGO_MANIFEST_DIR"), "/data/fashion-mnist").into(),
            word => word.to_owned(),
        };
        let arguments: Vec<_> = arguments.iter().map(|word| meant(word)).collect();
        let mut codes = Vec::new();
        for surroundings in SURROUNDINGS {
            // `finish` has checked that nothing panicked.
            let outcome = finish(surrounded(&mut sandbox.command(&arguments), surroundings));
            let said = format!("{arguments:?} in {surroundings:?}: {outcome:#?}");
            assert!(outcome.code.is_some_and(|code| code != 1), "{said}");
            assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stderr.contains('\u{1b}'), "{said}");
            assert!(!outcome.stdout.contains('\r') && !outcome.stderr.contains('\r'), "{said}");
            if outcome.code == Some(0) && arguments.contains(&"--json".into()) {
                // An object is one line, whatever the width.
                assert!(!outcome.events().is_empty(), "{said}");
            }
            codes.push(outcome.code);
        }
        codes.dedup();
        assert_eq!(codes.len(), 1, "{arguments:?} depends on the terminal: {codes:?}");
    }
}

/// A line of help that is wider than the terminal would be broken anywhere.
#[test]
fn help_fits_eighty_columns_and_its_examples_are_whole() {
    let sandbox = Sandbox::new();
    let help = |command: &[&str], columns: &str| {
        let outcome = fine(finish(sandbox.command(&[command, &["--help"]].concat()).env("COLUMNS", columns)));
        outcome.stdout
    };
    let examples = |help: &str| {
        let lines = help.lines().skip_while(|line| *line != "Examples:").take_while(|line| !line.is_empty());
        lines.map(String::from).collect::<Vec<_>>()
    };
    for command in commands().iter().map(String::as_str).chain([""]) {
        let command: &Vec<_> = &command.split_whitespace().collect();
        let narrow = help(command, "80");
        let longest = narrow.lines().map(|line| line.chars().count()).max();
        assert!(longest.is_some_and(|length| length <= 80), "{command:?}: {longest:?} in {narrow}");
        assert_eq!(examples(&narrow), examples(&help(command, "200")), "{command:?}: an example is broken");
        // Next to the flags there would be room for one word per line.
        let beside = |line: &str| line.trim_start().starts_with("--") && line.contains(">  ");
        assert!(!help(command, "20").lines().any(beside), "{command:?}");
    }
}

/// The output of a run on a terminal with this many columns.
#[cfg(target_os = "linux")]
fn seen(columns: usize, surroundings: &[(&str, Option<&str>)]) -> String {
    let sandbox = Sandbox::new();
    let program = env!("CARGO_BIN_EXE_shadegrad");
    let train = format!(
        "stty cols {columns} rows 24; {program} train --data {} --epochs 400 --device cpu --out run",
        data()
    );
    // `script` runs a command in its own terminal.
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &train, "/dev/null"]).current_dir(sandbox.path()).env_remove("NO_COLOR");
    let outcome = fine(finish(surrounded(&mut command, surroundings)));
    outcome.stdout
}

/// The visible text of each line, without escape codes.
#[cfg(target_os = "linux")]
fn visible(seen: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = seen;
    while let Some((before, code)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        let end = code[1..].find(|letter: char| letter.is_ascii_alphabetic()).expect("a code has an end");
        rest = &code[end + 2..];
    }
    plain.push_str(rest);
    plain.split(['\n', '\r']).map(String::from).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_sees_a_bar_that_fits() {
    for (columns, parts) in [
        (120, &["epoch ", "━", "/4", "loss ", "acc ", "images/s", " left"][..]),
        (80, &["epoch ", "/4", "loss ", "acc ", "images/s", " left"]),
        (40, &["epoch ", "acc ", " left"]),
        (20, &["/400", " left"]),
    ] {
        let seen = seen(columns, &[("TERM", Some("xterm-256color"))]);
        assert!(seen.contains("\u{1b}[1m"), "no colours in {seen:?}");
        let lines = visible(&seen);
        let bars: Vec<_> =
            lines.iter().filter(|line| line.ends_with(" left") || line.contains(" left ")).collect();
        assert!(!bars.is_empty(), "no bar in {lines:?}");
        for bar in bars {
            assert!(bar.trim_end().chars().count() < columns, "{columns} columns: {bar:?}");
            parts.iter().for_each(|part| assert!(bar.contains(part), "no {part:?} in {bar:?}"));
        }
        // This includes the rows of the table. Lines above them may be as long as a path.
        let rows =
            lines.iter().skip_while(|line| !line.contains("test acc")).take_while(|line| !line.is_empty());
        let rows: Vec<_> = rows.collect();
        assert!(!rows.is_empty(), "no table in {lines:?}");
        rows.iter()
            .for_each(|row| assert!(row.trim_end().chars().count() < columns, "{columns} columns: {row:?}"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_without_colours_sees_none() {
    let seen = seen(80, &[("TERM", Some("xterm-256color")), ("NO_COLOR", Some("1"))]);
    assert!(seen.contains(" left"), "no bar in {seen:?}");
    let codes: Vec<_> = seen.split('\u{1b}').skip(1).collect();
    let is_colour = |code: &&&str| {
        code.trim_start_matches(['[', ';', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).starts_with('m')
    };
    assert_eq!(codes.iter().find(is_colour), None);
}

#[cfg(target_os = "linux")]
#[test]
fn a_dumb_terminal_sees_a_table_and_nothing_else() {
    for columns in [20, 80] {
        let seen = seen(columns, &[("TERM", Some("dumb"))]);
        assert!(!seen.contains('\u{1b}'), "{seen:?}");
        assert!(!seen.contains(" left"), "{seen:?}");
        assert!(seen.contains("test acc"), "{seen:?}");
    }
}
