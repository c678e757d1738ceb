//! Lost devices: whichever call fails, the run ends with exit code 4 and resumes from its last
//! checkpoint as if nothing had happened.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::rc::Rc;

use serde_json::Value;

use shadegrad::config::{Config, Key};
use shadegrad::data::Dataset;
use shadegrad::device::{Device, Session};
use shadegrad::run::record::RecordedDevice;
use shadegrad::run::{
    Continuation, PreparedRun, RunDirectory, RunNotice, RunSource, SupervisedRun, Supervisor, reopen,
};
use shadegrad::train::{End, StopFlag, Trainer};
use shadegrad::{Error, Remedy, Result};

use crate::resume::support::{both, config, dataset, device, events, metrics, train_arguments};
use crate::samples::altered::{Altered, Watched};
use crate::samples::program::program;

fn lost() -> Error {
    Error::device("the GPU was lost: a test").advise("start again")
}

/// Returns a device that is lost after a number of calls.
fn mortal(inner: &dyn Device, calls: Rc<Cell<usize>>) -> Altered<'_> {
    Altered::new(inner, move |device, plan| {
        let calls = Rc::clone(&calls);
        let before = move |_: &mut dyn Session, _| {
            calls.set(calls.get().checked_sub(1).ok_or_else(lost)?);
            Ok(())
        };
        Ok(Box::new(Watched { inner: device.load(plan)?, before }))
    })
}

fn small() -> Config {
    config(&[(Key::Momentum, "0.9"), (Key::CheckpointEvery, "3"), (Key::Epochs, "2")])
}

/// Trains on a device that is lost after `calls` calls. Returns the result and the calls that were
/// left.
fn train_for(run: &Path, calls: usize) -> (Result<End>, usize) {
    let left = Rc::new(Cell::new(calls));
    let (config, cpu) = (small(), device("cpu"));
    let mortal = mortal(&*cpu, Rc::clone(&left));
    let trained = Trainer::new(&config, dataset(), &mortal).and_then(|trainer| {
        let mut directory = RunDirectory::create(run, config.to_toml())?;
        trainer.train(run, &mut [&mut directory], &StopFlag::default())
    });
    (trained, left.get())
}

#[test]
fn a_device_that_is_lost_in_any_call_leaves_a_run_that_goes_on() {
    let straight = tempfile::tempdir().expect("a temporary folder");
    let (end, left) = train_for(straight.path(), 100_000);
    let (end, calls) = (end.expect("nothing is lost"), 100_000 - left);
    let mut gone_on = 0;
    // The number of calls before the first checkpoint, and in total, varies a little, because the
    // number of steps per submission depends on timing.
    for calls in (1..calls).step_by(2) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let run = folder.path();
        let (result, _) = train_for(run, calls);
        let Err(error) = result else { continue };
        assert_eq!(error.kind().exit_code(), 4, "{error}");
        if !run.join("last").exists() {
            continue;
        }
        let said = both(&error);
        let is_at_the_ends =
            !matches!(error.remedy(), Some(Remedy::Both(_, next)) if **next == Remedy::Resume(run.into()));
        let reopened = reopen(run).expect("there is a checkpoint");
        assert!(reopened.complaints.is_empty());
        assert!(!is_at_the_ends || reopened.snapshot.position.step == end.steps, "{said}");
        let (config, mut directory) = (small(), reopened.directory);
        let trainer = Trainer::resume(&config, dataset(), &*device("cpu"), reopened.snapshot);
        let trainer = trainer.expect("the run can go on");
        let again = trainer.train(run, &mut [&mut directory], &StopFlag::default());
        assert_eq!(again.expect("the run ends well").weights_sha256, end.weights_sha256, "{calls} calls");
        assert_eq!(metrics(run), metrics(straight.path()), "{calls} calls");
        gone_on += 1;
    }
    println!("{gone_on} runs went on, of {calls} calls");
    assert!(gone_on >= 20, "only {gone_on}");
}

/// A run whose devices are each lost after a number of calls.
struct Losing {
    run: PathBuf,
    /// Calls that the devices to come answer, the next one last.
    lives: RefCell<Vec<usize>>,
    lost: Cell<usize>,
}

impl Losing {
    fn next_device(&self) -> Box<dyn Device> {
        let calls = self.lives.borrow_mut().pop().expect("no more devices are opened");
        Box::new(mortal(Box::leak(device("cpu")), Rc::new(Cell::new(calls))))
    }
}

impl RunSource for Losing {
    fn reopen(&self) -> Result<Continuation> {
        reopen(&self.run).map(Continuation::from)
    }

    fn dataset(&self, _: &Continuation) -> Result<Dataset> {
        Ok(dataset())
    }

    fn device(&self, _: &RecordedDevice) -> Result<Box<dyn Device>> {
        Ok(self.next_device())
    }

    fn notice(&self, notice: &RunNotice<'_>) {
        self.lost.set(self.lost.get() + usize::from(matches!(notice, RunNotice::DeviceLost(_))));
    }
}

/// Trains under a supervisor on devices that are lost after these numbers of calls. Returns the
/// outcome, how often the run was resumed, and the devices that were never opened.
fn supervised(run: &Path, lives: &[usize]) -> (SupervisedRun, usize, usize) {
    let (config, stop) = (small(), StopFlag::default());
    let lives = RefCell::new(lives.iter().rev().copied().collect());
    let losing = Losing { run: run.into(), lives, lost: Cell::new(0) };
    let prepared =
        PreparedRun::new(&config, dataset(), losing.next_device(), |_| Ok((dataset(), losing.next_device())));
    let directory = RunDirectory::create(run, config.to_toml()).expect("it is writable");
    let supervisor = Supervisor { folder: run, source: &losing, stop: &stop };
    let ended = supervisor.train(prepared.expect("the run can start"), directory, &mut []);
    (ended, losing.lost.get(), losing.lives.into_inner().len())
}

/// A program that uses the library has its lost devices reopened, too: once.
#[test]
fn a_supervisor_resumes_a_run_that_lost_its_device_once() {
    const FOREVER: usize = 100_000;
    let temporary = || tempfile::tempdir().expect("a temporary folder");
    let straight = temporary();
    let (end, left) = train_for(straight.path(), FOREVER);
    let (end, calls) = (end.expect("nothing is lost"), FOREVER - left);

    let folder = temporary();
    let (ended, resumed, unopened) = supervised(folder.path(), &[FOREVER, FOREVER]);
    assert_eq!(ended.trained.expect("nothing is lost").weights_sha256, end.weights_sha256);
    assert_eq!((resumed, unopened), (0, 1));

    // In the middle of training, and while the data are moved to the device.
    for (lives, resumed_times) in
        [(vec![calls / 2, FOREVER], 1), (vec![1, calls / 2, FOREVER], 1), (vec![1, FOREVER], 0)]
    {
        let folder = temporary();
        let (ended, resumed, unopened) = supervised(folder.path(), &lives);
        let trained = ended.trained.unwrap_or_else(|error| panic!("{lives:?}: {}", both(&error)));
        assert_eq!(trained.weights_sha256, end.weights_sha256, "{lives:?}");
        assert_eq!(metrics(folder.path()), metrics(straight.path()), "{lives:?}");
        assert_eq!((resumed, unopened), (resumed_times, 0), "{lives:?}");
    }

    let folder = temporary();
    let (ended, resumed, unopened) = supervised(folder.path(), &[calls / 2, calls / 4, FOREVER]);
    let error = ended.trained.expect_err("it is lost twice");
    assert_eq!(error.to_string(), format!("{0}; then: {0}", lost()));
    assert_eq!(error.remedy(), Some(&Remedy::Resume(folder.path().into())));
    assert_eq!((resumed, unopened, ended.device.info().backend.as_str()), (1, 1, "cpu"));
    assert!(!ended.device.is_lost(&error), "the CPU looks at what was saved");
}

/// The faults of a real GPU at one of a run's submissions, and the messages that the run then
/// prints.
const LOSSES: [(&str, &str); 2] =
    [("lose-gpu", "note: the GPU "), ("out-of-memory", "note: the GPU is out of memory")];

/// Small runs of the program on a GPU with fail points, and their results.
struct Bench {
    folder: tempfile::TempDir,
    length: &'static [&'static str],
    weights: Value,
}

impl Bench {
    fn new() -> Self {
        const SHORT: [&str; 8] =
            ["--epochs", "3", "--batch-size", "16", "--checkpoint-every", "3", "--momentum", "0.9"];
        Bench::with(&SHORT)
    }

    /// Runs of this length.
    fn with(length: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut bench = Bench { folder, length, weights: Value::Null };
        let straight = bench.train("straight", "none");
        bench.weights = end(&straight)["weights_sha256"].take();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn train(&self, name: &str, point: &str) -> Output {
        let mut command = program(self.folder.path(), &train_arguments(name, "gpu", self.length));
        command.arg("--no-tune").env("SHADEGRAD_FAIL_POINT", point).output().expect("it starts")
    }

    fn resume(&self, name: &str, point: &str) -> Output {
        let mut command = program(self.folder.path(), &["resume", name, "--json", "--no-tune"]);
        command.env("SHADEGRAD_FAIL_POINT", point).output().expect("it starts")
    }

    /// The run has ended like the uninterrupted one.
    fn ended_well(&self, name: &str, output: &Output) {
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        assert_eq!(end(output)["weights_sha256"], self.weights, "{name}");
        assert_eq!(metrics(&self.path(name)), metrics(&self.path("straight")), "{name}");
    }

    /// The run has ended with exit code 4, and resumes from a good checkpoint to the end of the
    /// uninterrupted one. Its report shows how it ended, and the test images, which the CPU can
    /// evaluate.
    fn goes_on(&self, name: &str, output: &Output, because: &str) {
        assert_eq!(output.status.code(), Some(4), "{name}: {output:?}");
        let said = text(output);
        assert!(said.contains(because) && said.contains("resume with: shadegrad resume"), "{name}: {said}");
        let report = std::fs::read_to_string(self.path(name).join("report.html")).expect("there is a report");
        assert!(report.contains("test images, classified by <code>checkpoints"), "{name} was not looked at");
        self.ended_well(name, &self.resume(name, "none"));
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn end(output: &Output) -> Value {
    events(&output.stdout).pop().unwrap_or_else(|| panic!("no end: {output:?}"))
}

/// If the real GPU of a run is destroyed or runs out of memory, at each submission in turn, the run
/// reopens it and ends like the uninterrupted one. If that GPU is lost, too, the run ends with exit
/// code 4 and a checkpoint to resume from.
#[test]
fn a_gpu_that_is_lost_or_full_is_opened_again_once() {
    let bench = Bench::new();
    let (mut recovered, mut ended) = (0, 0);
    for (point, said) in LOSSES {
        for time in 1..=12 {
            let name = format!("{point}-{time}");
            let output = bench.train(&name, &format!("{point}:{time}"));
            bench.ended_well(&name, &output);
            let log = std::fs::read_to_string(bench.path(&name).join("log.txt")).expect("there is a log");
            let is_lost = text(&output).contains(said);
            assert_eq!(is_lost, log.contains("resuming on the reopened device"), "{output:?} {log}");
            let starts = events(&output.stdout).iter().filter(|event| event["event"] == "start").count();
            assert_eq!(starts, 1 + usize::from(is_lost));
            recovered += usize::from(is_lost);
        }
        // One more submission is in flight when a lost device is noticed.
        for times in ["1,5", "4,9", "6,12"] {
            let name = format!("{point}-{times}");
            bench.goes_on(&name, &bench.train(&name, &format!("{point}:{times}")), "error: the GPU ");
            ended += 1;
        }
    }
    println!("{recovered} recovered, {ended} ended with exit code 4");
    assert!(recovered >= 20, "only {recovered} runs lost their GPU");
}

/// A lost device must be found again, and may be missing.
#[test]
fn a_gpu_that_is_gone_when_it_is_opened_again_ends_the_run_with_a_checkpoint() {
    let bench = Bench::new();
    for time in [2, 5, 9] {
        let name = format!("gone-{time}");
        // The first enumeration is the one at the start.
        let output = bench.train(&name, &format!("lose-gpu:{time};no-adapter:2"));
        bench.goes_on(&name, &output, ", which is not here");
    }
    let name = "full-when-opened-again";
    let full = bench.train(name, "lose-gpu:4;out-of-memory-in-load:2");
    bench.goes_on(name, &full, "; then: the GPU is out of memory");
    let gone = bench.train("never", "no-adapter:1");
    assert_eq!(gone.status.code(), Some(4), "{gone:?}");
    assert!(!bench.path("never").exists(), "a run that cannot start left something");
}

/// There is no checkpoint yet, so the run starts, or resumes, again.
#[test]
fn a_gpu_that_fails_before_the_first_step_is_opened_again_once() {
    let bench = Bench::new();
    let output = bench.train("full", "out-of-memory-in-load:1");
    bench.ended_well("full", &output);
    assert!(text(&output).contains("note: the GPU is out of memory; reopening the device"), "{output:?}");
    let output = bench.train("twice", "out-of-memory-in-load:1,2");
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let help = "help: use a smaller --batch-size or model, or --device cpu\n";
    assert!(text(&output).ends_with(help), "{output:?}");
    assert!(!bench.path("twice").exists(), "a run that cannot start left something");

    for name in ["resumed", "resumed-twice"] {
        assert_eq!(bench.train(name, "lose-gpu:4,7").status.code(), Some(4));
    }
    let output = bench.resume("resumed", "out-of-memory-in-load:1");
    bench.ended_well("resumed", &output);
    assert!(text(&output).contains("note: the GPU is out of memory; reopening the device"), "{output:?}");
    let output = bench.resume("resumed-twice", "out-of-memory-in-load:1,2");
    let twice = "error: the GPU is out of memory; then: the GPU is out of memory";
    bench.goes_on("resumed-twice", &output, twice);
}

/// Saves read the weights back. If the device is lost in the first save there is no checkpoint; if
/// it is lost in a later one there is.
#[test]
fn a_gpu_that_is_destroyed_in_a_save_costs_no_more_than_that_save() {
    let bench = Bench::with(&["--epochs", "2", "--checkpoint-every", "5"]);
    let output = bench.train("first", "lose-gpu-in-read:1");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("no checkpoint yet") && said.contains("start the run again"), "{said}");
    // Four tensors and their velocities per save.
    for time in [9, 12, 17] {
        let name = format!("save-{time}");
        let output = bench.train(&name, &format!("lose-gpu-in-read:{time}"));
        bench.ended_well(&name, &output);
        assert!(text(&output).contains("reopening the device"), "{name}: {output:?}");
    }
}
