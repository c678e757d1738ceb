//! Ctrl-C, SIGTERM and SIGHUP: the run saves a checkpoint and says how to resume. A second signal
//! ends it at once.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::resume::kills::Dice;
use crate::resume::support::{goes_on_like_straight, straight, train_arguments};
use crate::samples::program::program;

/// Much longer than any test waits, and rarely saved.
const ENDLESS: [&str; 4] = ["--epochs", "1000000", "--checkpoint-every", "500m"];

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
    assert!(sent.expect("there is a kill").success());
}

/// Starts the program, waits for its first line, for a first checkpoint and for `delay` more, and
/// sends it these signals.
fn start_and_signal(
    folder: &Path,
    arguments: &[&str],
    run: &str,
    delay: Duration,
    signals: &[&str],
) -> (ExitStatus, String) {
    start_and_signal_command(&mut program(folder, arguments), &folder.join(run), delay, signals)
}

/// Like [`start_and_signal`], with a command that trains in the folder `run`.
fn start_and_signal_command(
    command: &mut Command,
    run: &Path,
    delay: Duration,
    signals: &[&str],
) -> (ExitStatus, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
    lines.read_line(&mut String::new()).expect("it is readable");
    let reader = std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    // A second signal may arrive before the first has saved anything.
    while !run.join("last").exists() {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it ended without a checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(delay);
    for signal in signals {
        send(&child, signal);
    }
    let mut said = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut said).expect("it is readable");
    reader.join().expect("the reader ends").expect("it was readable");
    (child.wait().expect("it ends"), said)
}

/// Number of signals that reach a run in progress; each saves and ends it.
const BATCHES_ON_THE_CPU: usize = 24;
const SINGLE_IMAGES_ON_THE_CPU: usize = 10;
const BATCHES_ON_THE_GPU: usize = 6;
const _: () = assert!(BATCHES_ON_THE_CPU + SINGLE_IMAGES_ON_THE_CPU + BATCHES_ON_THE_GPU >= 40);

/// Interrupts runs at this many moments, up to `most_delay` milliseconds after they started or
/// resumed. They still end like the uninterrupted run. A run that ends before its signal does not
/// count.
fn survives(device: &str, length: &[&str], signals: usize, most_delay: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let more = [length, &["--checkpoint-every", "500m"]].concat();
    let straight = straight(path, device, &more);

    let mut dice = Dice::new(3);
    let (mut interrupted, mut runs) = (0, 0);
    while interrupted < signals {
        runs += 1;
        assert!(runs <= signals, "runs are over before they can be interrupted: {interrupted} in {runs}");
        let name = format!("run{runs}");
        let begin = train_arguments(&name, device, &more);
        let resume = ["resume", &name, "--json"];
        let mut arguments = &begin[..];
        while interrupted < signals {
            let (signal, code) = [("-INT", 130), ("-TERM", 143), ("-HUP", 129)][interrupted % 3];
            let delay = Duration::from_millis(dice.below(most_delay));
            let (status, said) = start_and_signal(path, arguments, &name, delay, &[signal]);
            if status.success() {
                break;
            }
            assert_eq!(status.code(), Some(code), "{said}");
            // These runs train on noise, so they may warn that the model does not learn.
            let is_aside = |line: &&str| {
                line.starts_with("note: ") || line.starts_with("warning: the training loss stayed")
            };
            let lines: Vec<_> = said.lines().filter(|line| !is_aside(line)).collect();
            let [error, help] = lines[..] else { panic!("not two lines: {said}") };
            assert!(error.starts_with("error: stopped at step "), "{error}");
            assert_eq!(help, format!("help: resume with: shadegrad resume {name}"));
            assert_eq!(state(&path.join(&name)), "stopped");
            interrupted += 1;
            arguments = &resume;
        }
        goes_on_like_straight(path, &name, &straight);
        assert_eq!(state(&path.join(&name)), "finished");
    }
    println!("{device}: {interrupted} signals in {runs} runs");
}

#[test]
fn runs_on_the_cpu_go_on_after_signals() {
    let more = ["--epochs", "40000", "--batch-size", "16", "--momentum", "0.9", "--no-keep-best"];
    survives("cpu", &more, BATCHES_ON_THE_CPU, 30);
}

#[test]
fn single_images_on_the_cpu_go_on_after_signals() {
    let more =
        ["--epochs", "4000", "--batch-size", "1", "--lr", "0.001", "--momentum", "0", "--no-keep-best"];
    survives("cpu", &more, SINGLE_IMAGES_ON_THE_CPU, 30);
}

#[test]
fn runs_on_the_gpu_go_on_after_signals() {
    survives("gpu", &["--epochs", "300", "--batch-size", "16", "--nesterov"], BATCHES_ON_THE_GPU, 300);
}

/// The status of a run in `run.json`.
fn state(run: &Path) -> String {
    let record = std::fs::read(run.join("run.json")).expect("there is a record");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("it is JSON");
    record["state"].as_str().expect("there is a state").into()
}

/// Under `nohup`, a run survives the end of its terminal.
#[test]
fn a_closed_terminal_does_not_end_a_run_that_ignores_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let arguments = train_arguments("run", "cpu", &ENDLESS);
    let ignoring = "trap '' HUP; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", ignoring, env!("CARGO_BIN_EXE_shadegrad")]).args(arguments);
    command.current_dir(folder.path());
    let delay = Duration::from_millis(40);
    let (status, said) =
        start_and_signal_command(&mut command, &folder.path().join("run"), delay, &["-HUP", "-HUP", "-TERM"]);
    assert_eq!(status.code(), Some(143), "{said}");
}

#[test]
fn a_second_signal_ends_the_run_at_once_and_leaves_a_run_that_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (number, (signals, code)) in
        [(["-INT", "-INT"], 130), (["-INT", "-TERM"], 143), (["-TERM", "-INT"], 130)].into_iter().enumerate()
    {
        let name = format!("run{number}");
        let arguments = train_arguments(&name, "cpu", &ENDLESS);
        let delay = Duration::from_millis(40);
        let (status, _) = start_and_signal(folder.path(), &arguments, &name, delay, &signals);
        // Two signals that arrive together may count as one.
        assert!([Some(code), Some(130), Some(143)].contains(&status.code()), "{status:?}");
        let resume = ["resume", &name, "--json"];
        let (status, said) = start_and_signal(folder.path(), &resume, &name, delay, &["-TERM"]);
        assert_eq!(status.code(), Some(143), "{said}");
    }
}

/// Behind `| head`, nobody reads after a while: the run ends silently, and can be resumed like any
/// other.
#[test]
fn a_closed_pipe_ends_the_run_in_silence_and_leaves_a_run_that_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let more = ["--epochs", "300", "--batch-size", "16", "--checkpoint-every", "20", "--no-keep-best"];
    let straight = straight(path, "cpu", &more);
    for lines in [1, 10, 100] {
        let name = format!("run{lines}");
        let mut command = program(path, &train_arguments(&name, "cpu", &more));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut reader = BufReader::new(child.stdout.take().expect("it is piped"));
        for _ in 0..lines {
            reader.read_line(&mut String::new()).expect("it is readable");
        }
        drop(reader);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(141), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        goes_on_like_straight(path, &name, &straight);
    }
}
