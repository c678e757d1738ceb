//! Ctrl-C and SIGTERM: the run saves itself and says how to go on; asked twice, it ends at once.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::kills::Dice;
use crate::support::{events, leftovers, metrics, program, train_arguments};

/// Far longer than anybody waits, and hardly ever saved.
const ENDLESS: [&str; 4] = ["--epochs", "1000000", "--checkpoint-every", "500m"];

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
    assert!(sent.expect("there is a kill").success());
}

/// Starts the program, waits for its first line and for `delay` more, and sends it these signals.
fn start_and_signal(
    folder: &Path,
    arguments: &[&str],
    delay: Duration,
    signals: &[&str],
) -> (ExitStatus, String) {
    let mut command = program(folder, arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
    lines.read_line(&mut String::new()).expect("it is readable");
    let reader = std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    std::thread::sleep(delay);
    for signal in signals {
        send(&child, signal);
    }
    let mut said = String::new();
    child.stderr.take().expect("it is piped").read_to_string(&mut said).expect("it is readable");
    reader.join().expect("the reader ends").expect("it was readable");
    (child.wait().expect("it ends"), said)
}

/// Interrupts one run at many moments; it still ends as the straight run.
fn survives(device: &str, length: &[&str], signals: usize, most_delay: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let more = [length, &["--checkpoint-every", "500m"]].concat();
    let straight = program(path, &train_arguments("straight", device, &more)).output().expect("it starts");
    assert!(straight.status.success(), "{straight:?}");
    let straight = events(&straight.stdout).pop().expect("there is an end");

    let mut dice = Dice::new(3);
    let begin = train_arguments("run", device, &more);
    let resume = ["resume", "run", "--json"];
    let mut interrupted = 0;
    for number in 0..signals {
        let (signal, code) = [("-INT", 130), ("-TERM", 143)][number % 2];
        let arguments = if number == 0 { &begin[..] } else { &resume[..] };
        let delay = Duration::from_millis(dice.below(most_delay));
        let (status, said) = start_and_signal(path, arguments, delay, &[signal]);
        if status.success() {
            break;
        }
        assert_eq!(status.code(), Some(code), "{said}");
        let lines: Vec<_> = said.lines().filter(|line| !line.starts_with("note: ")).collect();
        let [error, help] = lines[..] else { panic!("not two lines: {said}") };
        assert!(error.starts_with("error: stopped at step "), "{error}");
        assert_eq!(help, "help: go on with: shadegrad resume run");
        interrupted += 1;
    }
    let end = program(path, &resume).output().expect("it starts");
    assert!(end.status.success(), "{end:?}");
    let end = events(&end.stdout).pop().expect("there is an end");
    assert_eq!(end["weights_sha256"], straight["weights_sha256"]);
    assert_eq!(metrics(&path.join("run")), metrics(&path.join("straight")));
    assert_eq!(leftovers(&path.join("run")), [""; 0]);
    println!("{device}: {interrupted} signals");
    assert!(interrupted > signals / 4, "the run was over after {interrupted} signals");
}

#[test]
fn runs_on_the_cpu_go_on_after_signals() {
    let more = ["--epochs", "40000", "--batch-size", "16", "--momentum", "0.9", "--no-keep-best"];
    survives("cpu", &more, 20, 30);
}

#[test]
fn single_images_on_the_cpu_go_on_after_signals() {
    let more =
        ["--epochs", "4000", "--batch-size", "1", "--lr", "0.001", "--momentum", "0", "--no-keep-best"];
    survives("cpu", &more, 10, 30);
}

#[test]
fn runs_on_the_gpu_go_on_after_signals() {
    survives("gpu", &["--epochs", "300", "--batch-size", "16", "--nesterov"], 6, 300);
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
        let (status, _) = start_and_signal(folder.path(), &arguments, delay, &signals);
        // Two signals that arrive together may count as the first one only.
        assert!([Some(code), Some(130), Some(143)].contains(&status.code()), "{status:?}");
        let resume = ["resume", &name, "--json"];
        let (status, said) = start_and_signal(folder.path(), &resume, delay, &["-TERM"]);
        assert_eq!(status.code(), Some(143), "{said}");
    }
}

/// Behind `| head`, nobody reads after a while: the run ends in silence, and goes on like any other.
#[test]
fn a_closed_pipe_ends_the_run_in_silence_and_leaves_a_run_that_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let more = ["--epochs", "300", "--batch-size", "16", "--checkpoint-every", "20", "--no-keep-best"];
    let straight = program(path, &train_arguments("straight", "cpu", &more)).output().expect("it starts");
    let straight = events(&straight.stdout).pop().expect("there is an end");
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
        let end = program(path, &["resume", &name, "--json"]).output().expect("it starts");
        let end = events(&end.stdout).pop().expect("there is an end");
        assert_eq!(end["weights_sha256"], straight["weights_sha256"], "after {lines} lines");
        assert_eq!(metrics(&path.join(&name)), metrics(&path.join("straight")));
    }
}
