//! Devices that are lost: whichever call it happens in, the run ends with exit code 4 and goes on
//! from its last checkpoint as if nothing had happened.

use std::cell::Cell;
use std::rc::Rc;

use shadegrad::config::{Config, Key};
use shadegrad::device::{Device, DeviceInfo, Session, Ticket};
use shadegrad::host::Array;
use shadegrad::plan::{Launch, Plan, StepId};
use shadegrad::run::{RunDirectory, reopen};
use shadegrad::tensor::Tensor;
use shadegrad::train::{End, StopFlag, Trainer};
use shadegrad::{Error, Result};

use crate::support::{both, config, dataset, device, events, metrics, program, train_arguments};

/// A device that answers so many calls and is lost then.
struct Mortal<'a> {
    inner: &'a dyn Device,
    calls: Rc<Cell<usize>>,
}

struct MortalSession {
    inner: Box<dyn Session>,
    calls: Rc<Cell<usize>>,
}

impl MortalSession {
    fn call(&self) -> Result<()> {
        match self.calls.get().checked_sub(1) {
            Some(left) => {
                self.calls.set(left);
                Ok(())
            }
            None => Err(Error::device("the GPU was lost: a test").advise("start again")),
        }
    }
}

impl Device for Mortal<'_> {
    fn info(&self) -> &DeviceInfo {
        self.inner.info()
    }

    fn largest_tensor(&self) -> usize {
        self.inner.largest_tensor()
    }

    fn load(&self, plan: Plan) -> Result<Box<dyn Session>> {
        Ok(Box::new(MortalSession { inner: self.inner.load(plan)?, calls: Rc::clone(&self.calls) }))
    }
}

impl Session for MortalSession {
    fn plan(&self) -> &Plan {
        self.inner.plan()
    }

    fn kernels(&self, step: StepId) -> Vec<String> {
        self.inner.kernels(step)
    }

    fn write(&mut self, tensor: Tensor, array: Array) -> Result<()> {
        self.call()?;
        self.inner.write(tensor, array)
    }

    fn read(&mut self, tensor: Tensor) -> Result<Array> {
        self.call()?;
        self.inner.read(tensor)
    }

    fn submit(&mut self, launches: &[Launch], metrics: &[Tensor], slots: usize) -> Result<Ticket> {
        self.call()?;
        self.inner.submit(launches, metrics, slots)
    }

    fn finish(&mut self, ticket: Ticket) -> Result<Vec<Vec<f32>>> {
        self.call()?;
        self.inner.finish(ticket)
    }
}

fn small() -> Config {
    config(&[(Key::Momentum, "0.9"), (Key::CheckpointEvery, "3"), (Key::Epochs, "2")])
}

/// Trains on a device that answers so many calls; gives the outcome and the calls that were left.
fn train_for(run: &std::path::Path, calls: usize) -> (Result<End>, usize) {
    let left = Rc::new(Cell::new(calls));
    let (config, cpu) = (small(), device("cpu"));
    let mortal = Mortal { inner: &*cpu, calls: Rc::clone(&left) };
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
    // The calls before the first checkpoint, and how many calls a run makes, vary a little: how
    // many steps go into a submission follows the clock.
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
        let is_at_the_ends = !said.contains("go on with: shadegrad resume ");
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

/// A run whose real GPU is destroyed at each submission in turn goes on with another one and ends as the straight run
/// does; one that loses that, too, ends with exit code 4 and a checkpoint to go on from.
#[test]
fn a_gpu_that_is_destroyed_is_opened_again_once() {
    const SHORT: [&str; 8] =
        ["--epochs", "3", "--batch-size", "16", "--checkpoint-every", "3", "--momentum", "0.9"];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let train = |name: &str, mishap: &str| {
        let mut command = program(path, &train_arguments(name, "gpu", &SHORT));
        command.arg("--no-tune").env("SHADEGRAD_MISHAP", mishap).output().expect("it starts")
    };
    let straight = train("straight", "none");
    let straight = events(&straight.stdout).pop().expect("there is an end");
    let wanted = metrics(&path.join("straight"));
    let mut recovered = 0;
    for time in 1..=18 {
        let name = format!("lost-{time}");
        let output = train(&name, &format!("lose-gpu:{time}"));
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        let log = std::fs::read_to_string(path.join(&name).join("log.txt")).expect("there is a log");
        let is_lost = said.contains("opening it again");
        assert_eq!(is_lost, log.contains("going on with a new device"), "{said} {log}");
        recovered += usize::from(is_lost);
        let events = events(&output.stdout);
        assert_eq!(events.iter().filter(|event| event["event"] == "start").count(), 1 + usize::from(is_lost));
        assert_eq!(events.last().expect("an end")["weights_sha256"], straight["weights_sha256"], "{name}");
        assert_eq!(metrics(&path.join(&name)), wanted, "{name}");
    }
    assert!(recovered >= 16, "only {recovered} runs lost their GPU");
    // One more submission is on its way when a loss is noticed.
    for times in ["1,5", "2,7", "4,9", "6,12"] {
        let name = format!("lost-{times}");
        let output = train(&name, &format!("lose-gpu:{times}"));
        assert_eq!(output.status.code(), Some(4), "{name}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("go on with: shadegrad resume"), "{said}");
        let end = program(path, &["resume", &name, "--json", "--no-tune"]).output().expect("it starts");
        let end = events(&end.stdout).pop().expect("there is an end");
        assert_eq!(end["weights_sha256"], straight["weights_sha256"], "{name}");
        assert_eq!(metrics(&path.join(&name)), wanted, "{name}");
    }
}

/// Saves read the weights back: what is lost in the first has nothing to go back to, what is lost later has.
#[test]
fn a_gpu_that_is_destroyed_in_a_save_costs_no_more_than_that_save() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let train = |name: &str, mishap: &str| {
        let mut command =
            program(path, &train_arguments(name, "gpu", &["--epochs", "2", "--checkpoint-every", "5"]));
        command.arg("--no-tune").env("SHADEGRAD_MISHAP", mishap).output().expect("it starts")
    };
    let straight = train("straight", "none");
    let straight = events(&straight.stdout).pop().expect("there is an end");
    let output = train("first", "lose-gpu-in-read:1");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("no checkpoint yet") && said.contains("start again"), "{said}");
    // Four tensors and their velocities a save.
    for time in [9, 12, 17] {
        let name = format!("save-{time}");
        let output = train(&name, &format!("lose-gpu-in-read:{time}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("opening it again"), "{name}: {said}");
        let end = events(&output.stdout).pop().expect("there is an end");
        assert_eq!(end["weights_sha256"], straight["weights_sha256"], "{name}");
        assert_eq!(metrics(&path.join(&name)), metrics(&path.join("straight")), "{name}");
    }
}
