//! Kills the program at random moments, on the CPU and on the GPU.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::resume::support::{goes_on_like_straight, straight, train_arguments};
use crate::samples::program::program;

/// A run that takes a while, mostly for saving.
const LONG: [&str; 8] =
    ["--epochs", "80", "--batch-size", "16", "--checkpoint-every", "5", "--momentum", "0.9"];

/// Pseudorandom numbers, the same in every run of the test.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Starts the program and waits for its first line, for a first checkpoint and for `delay` more,
/// then kills it. Returns whether it was still running.
fn start_and_kill(folder: &Path, arguments: &[&str], run: &str, delay: Duration) -> bool {
    let mut command = program(folder, arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("it is readable");
    assert!(first.contains("\"event\":\"start\""), "{first:?}");
    // The pipe must be read, or the program waits forever.
    let reader = std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    // Everything before a checkpoint must survive.
    while !folder.join(run).join("last").exists() {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it ended without a checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(delay);
    let is_running = child.try_wait().expect("it can be asked").is_none();
    child.kill().expect("it can be killed");
    child.wait().expect("it is gone");
    reader.join().expect("the reader ends").expect("it was readable");
    is_running
}

/// Kills and resumes a run this many times; then it ends like the uninterrupted one.
fn survives(device: &str, kills: usize, most_delay: u64, seed: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let straight = straight(path, device, &LONG);
    let mut dice = Dice::new(seed);
    let (mut killed, mut run) = (0, 0);
    while killed < kills {
        run += 1;
        let name = format!("run{run}");
        let begin = train_arguments(&name, device, &LONG);
        let resume = ["resume", &name, "--json"];
        let mut arguments = &begin[..];
        let mut delay = || Duration::from_millis(dice.below(most_delay));
        while killed < kills && start_and_kill(path, arguments, &name, delay()) {
            killed += 1;
            arguments = &resume;
        }
        goes_on_like_straight(path, &name, &straight);
    }
    println!("{device}: {killed} kills in {run} runs");
}

#[test]
fn runs_on_the_cpu_survive_kills() {
    survives("cpu", 40, 250, 1);
}

#[test]
fn runs_on_the_gpu_survive_kills() {
    survives("gpu", 10, 700, 2);
}

/// The points at which a save can be interrupted: before and after each kind of operation, and in
/// the middle of a file.
#[cfg(unix)]
const POINTS: [&str; 15] = [
    "before-create-folder",
    "after-create-folder",
    "before-write",
    "half-write",
    "after-write",
    "before-append",
    "after-append",
    "before-sync",
    "after-sync",
    "before-sync-folder",
    "after-sync-folder",
    "before-rename",
    "after-rename",
    "before-remove",
    "after-remove",
];

#[cfg(unix)]
#[test]
fn runs_survive_deaths_at_every_point_of_a_save() {
    use std::os::unix::process::ExitStatusExt;
    // The signal of a process that aborts.
    const SIGABRT: i32 = 6;
    const SHORT: [&str; 8] =
        ["--epochs", "3", "--batch-size", "16", "--checkpoint-every", "10", "--momentum", "0.9"];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let straight = straight(path, "cpu", &SHORT);
    for point in POINTS {
        // In the second save, and in a later one: the first has nothing to remove.
        for time in [7, 12] {
            let name = format!("{point}-{time}");
            let die_at = |time: usize| {
                let mut command = program(path, &train_arguments(&name, "cpu", &SHORT));
                let point = format!("{point}:{time}");
                command.env("SHADEGRAD_FAIL_POINT", point).output().expect("it starts").status
            };
            let mut status = die_at(time);
            let has_saved = path.join(&name).join("last").exists();
            if status.success() || !has_saved {
                // The point is reached less often, or before there is a checkpoint: try an earlier
                // or a later time.
                let time = if has_saved { 2 } else { 30 };
                std::fs::remove_dir_all(path.join(&name)).expect("it can be removed");
                status = die_at(time);
            }
            assert_eq!(status.signal(), Some(SIGABRT), "{name}: {status:?}");
            goes_on_like_straight(path, &name, &straight);
        }
    }
}
