//! Standard output and standard error, with different readers.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::cli::support::{Sandbox, finish, shadegrad};

const COMMANDS: &[&[&str]] = &[
    &["--help"],
    &["-h"],
    &["--version"],
    &["help", "train"],
    &["train", "--help"],
    &["eval", "--help"],
    &["report", "--help"],
    &["devices", "--help"],
    &["config", "--help"],
    &["config", "show", "--help"],
    &["completions", "--help"],
    &["devices"],
    &["devices", "--json"],
    &["config", "show"],
    &["config", "show", "--json"],
    &["config", "presets"],
    &["config", "presets", "--json"],
    &["completions", "bash"],
    &["data", "--help"],
    &["data", "list"],
    &["data", "list", "--json"],
];

#[test]
fn commands_succeed_and_pipe_no_escape_codes() {
    let sandbox = Sandbox::new();
    for arguments in COMMANDS {
        for terminal in ["xterm-256color", "dumb"] {
            let outcome = finish(sandbox.command(arguments).env("TERM", terminal));
            assert_eq!(outcome.code, Some(0), "{arguments:?}: {outcome:#?}");
            assert!(!outcome.stdout.is_empty(), "{arguments:?}");
            assert!(!outcome.stdout.contains('\u{1b}'), "{arguments:?}: {outcome:#?}");
            assert!(!outcome.stderr.contains('\u{1b}'), "{arguments:?}: {outcome:#?}");
        }
    }
}

#[test]
fn errors_pipe_no_escape_codes() {
    for arguments in [&["trian"][..], &["train", "--lr", "x"], &["train", "--epoch"]] {
        assert!(!shadegrad(arguments).stderr.contains('\u{1b}'));
    }
}

#[test]
fn json_is_one_object_a_line_with_version_and_name() {
    for (arguments, event) in [
        (&["devices", "--json"][..], "devices"),
        (&["config", "show", "--json"], "config"),
        (&["config", "presets", "--json"], "presets"),
    ] {
        let events = shadegrad(arguments).events();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["event"], event);
    }
}

#[test]
fn help_starts_with_examples_and_names_every_key() {
    let help = shadegrad(&["train", "--help"]).stdout;
    let examples = help.find("Examples:").expect("there are examples");
    assert!(examples < help.find("Usage:").expect("there is usage"), "{help}");
    for key in shadegrad::config::Key::ALL {
        let name = match key.name() {
            "preset" => "PRESET".into(),
            "shuffle" | "keep-best" | "tune" => format!("--no-{}", key.name()),
            name => format!("--{name}"),
        };
        assert!(help.contains(&name), "no {name} in {help}");
    }
}

#[test]
fn help_and_mistakes_answer_at_once() {
    for arguments in [&["--help"][..], &["train", "--lr", "0"]] {
        let started = Instant::now();
        shadegrad(arguments);
        // Much longer than a command takes, and much shorter than a search for GPUs on a busy
        // machine.
        assert!(started.elapsed() < Duration::from_secs(2), "{arguments:?}");
    }
}

#[test]
fn a_closed_output_ends_the_program_in_silence() {
    let sandbox = Sandbox::new();
    for arguments in COMMANDS {
        let mut child = sandbox
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // Closed before the program can have written everything to it.
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("the program ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked") && !stderr.contains("error: cannot"), "{arguments:?}: {stderr}");
        assert!(matches!(output.status.code(), Some(0 | 141)), "{arguments:?}: {output:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let sandbox = Sandbox::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let outcome = finish(sandbox.command(&["config", "show"]).stdout(full));
    outcome.refused(8).because(&["cannot write to standard output"]);
}

#[test]
fn a_closed_standard_error_is_no_reason_to_panic() {
    let sandbox = Sandbox::new();
    let mut child =
        sandbox.command(&["train", "--lr", "0"]).stderr(Stdio::piped()).spawn().expect("the program starts");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("the program ends").code(), Some(2));
}
