//! Failing disks: each operation of a run's saves in turn returns an error, or is the last one
//! before the process is killed.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::rc::Rc;

use shadegrad::ErrorKind;
use shadegrad::config::{Config, Key};
use shadegrad::fs::disk::{Disk, RealDisk};
use shadegrad::run::RunDirectory;
use shadegrad::run::reopen::{reopen, reopen_on};
use shadegrad::train::{End, StopFlag, Trainer};

use crate::resume::support::{both, config, csv_epochs, dataset, device, leftovers, metrics};

/// The fault that happens to an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The operation fails half way.
    Error(io::ErrorKind),
    /// The operation is not finished and no other follows: the process was killed.
    Death,
}

/// A disk on which one operation fails, counted from 0. It never waits for data to reach the disk.
#[derive(Debug)]
struct FaultyDisk {
    done: Rc<Cell<usize>>,
    at: usize,
    fault: Fault,
    free: u64,
}

impl FaultyDisk {
    fn operation(
        &self,
        whole: impl FnOnce() -> io::Result<()>,
        half: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let number = self.done.get();
        self.done.set(number + 1);
        match self.fault {
            _ if number < self.at => whole(),
            Fault::Error(kind) if number == self.at => half().and(Err(kind.into())),
            Fault::Error(_) => whole(),
            Fault::Death if number == self.at => half().and(Err(io::Error::other("killed"))),
            Fault::Death => Err(io::Error::other("dead")),
        }
    }
}

impl Disk for FaultyDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.operation(|| RealDisk.create_folder(path), || Ok(()))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.operation(|| RealDisk.write(path, bytes), || RealDisk.write(path, &bytes[..bytes.len() / 2]))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.operation(|| RealDisk.append(path, bytes), || RealDisk.append(path, &bytes[..bytes.len() / 2]))
    }

    fn sync(&self, _: &Path) -> io::Result<()> {
        self.operation(|| Ok(()), || Ok(()))
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.operation(|| Ok(()), || Ok(()))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operation(|| RealDisk.rename(from, to), || Ok(()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let first_file = || match std::fs::read_dir(path).ok().and_then(|mut entries| entries.next()) {
            Some(entry) => RealDisk.remove(&entry?.path()),
            None => Ok(()),
        };
        self.operation(|| RealDisk.remove(path), first_file)
    }

    fn free_space(&self, _: &Path) -> Option<u64> {
        Some(self.free)
    }
}

/// Free bytes, enough for everything here.
const PLENTY: u64 = 1 << 40;

/// Eighteen steps in two epochs, saved at every fifth step and after the best epochs.
fn small() -> Config {
    config(&[(Key::Momentum, "0.9"), (Key::CheckpointEvery, "5"), (Key::Epochs, "2")])
}

/// Trains on a faulty disk. Returns the result and the number of operations.
fn train_on(run: &Path, at: usize, fault: Fault, free: u64) -> (shadegrad::Result<End>, usize) {
    let config = small();
    let done = Rc::new(Cell::new(0));
    let disk = FaultyDisk { done: Rc::clone(&done), at, fault, free };
    let directory = RunDirectory::create_on(Box::new(disk), run, config.to_toml());
    let mut directory = directory.expect("the folder is empty");
    let trainer = Trainer::new(&config, dataset(), &*device("cpu")).expect("the run can start");
    let result = trainer.train(run, &mut [&mut directory], &StopFlag::default());
    (result, done.get())
}

/// Whether the run in a folder has a checkpoint under its own name.
fn has_checkpoint(run: &Path) -> bool {
    let entries = std::fs::read_dir(run.join("checkpoints")).expect("it is readable");
    let mut names = entries.map(|entry| entry.expect("it is readable").file_name());
    names.any(|name| name.to_string_lossy().starts_with('0'))
}

/// Resumes a run and trains it to its end.
fn go_on(run: &Path) -> End {
    let disk = FaultyDisk { done: Rc::default(), at: usize::MAX, fault: Fault::Death, free: PLENTY };
    let reopened = reopen_on(Box::new(disk), run).unwrap_or_else(|error| panic!("{}", both(&error)));
    assert_eq!(reopened.complaints, [], "nothing was damaged");
    let config = small();
    let mut directory = reopened.directory;
    let trainer = Trainer::resume(&config, dataset(), &*device("cpu"), reopened.snapshot);
    let trainer = trainer.expect("the run can go on");
    trainer.train(run, &mut [&mut directory], &StopFlag::default()).expect("the run ends well")
}

/// Lets each operation of a run fail in turn; the resumed run ends like the uninterrupted one.
fn survives(fault: Fault, check: impl Fn(&shadegrad::Error, usize)) {
    let straight = tempfile::tempdir().expect("a temporary folder");
    let (end, operations) = train_on(straight.path(), usize::MAX, fault, PLENTY);
    let end = end.expect("nothing failed");
    assert!(operations > 100, "only {operations} operations");
    let mut lost = 0;
    for at in 0..operations {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let run = folder.path();
        let (result, _) = train_on(run, at, fault, PLENTY);
        let error = result.expect_err("an operation failed");
        check(&error, at);
        if !has_checkpoint(run) {
            // Nothing was saved yet, so the message suggests no checkpoint.
            assert!(!both(&error).contains("resume"), "{}", both(&error));
            assert_eq!(reopen(run).expect_err("there is none").kind(), ErrorKind::Model);
            lost += 1;
            continue;
        }
        let again = go_on(run);
        assert_eq!(again.weights_sha256, end.weights_sha256, "{fault:?} at operation {at}");
        assert_eq!(metrics(run), metrics(straight.path()), "{fault:?} at operation {at}");
        assert_eq!(csv_epochs(run), ["epoch", "1", "2"], "{fault:?} at operation {at}");
        assert_eq!(leftovers(run), [""; 0], "{fault:?} at operation {at}");
        for pointer in ["best", "last"] {
            let named = std::fs::read_to_string(run.join(pointer)).expect("it is there");
            let of_straight = std::fs::read_to_string(straight.path().join(pointer)).expect("it is there");
            assert_eq!(named, of_straight, "{pointer} after {fault:?} at operation {at}");
            shadegrad::run::checkpoint::load(&run.join(named.trim())).expect("it is whole");
        }
    }
    println!("{fault:?}: {operations} operations, {lost} of them before the first checkpoint");
    assert!(lost < 30, "{lost} operations before the first checkpoint");
}

#[test]
fn a_process_that_is_killed_in_any_operation_of_a_save_loses_nothing() {
    survives(Fault::Death, |_, _| ());
}

#[test]
fn a_full_disk_leaves_the_old_checkpoint_and_says_what_is_needed_and_free() {
    survives(Fault::Error(io::ErrorKind::StorageFull), |error, at| {
        assert_eq!(error.kind().exit_code(), 8, "{error}");
        let said = both(error);
        assert!(said.contains(" are needed, and 1099.5 GB are free"), "operation {at}: {said}");
        assert!(said.contains("free some space"), "operation {at}: {said}");
    });
}

#[test]
fn other_errors_of_the_disk_leave_the_old_checkpoint_too() {
    for kind in [io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied, io::ErrorKind::Other] {
        survives(Fault::Error(kind), |error, at| {
            assert_eq!(error.kind().exit_code(), 8, "operation {at}: {error}");
            assert!(error.to_string().starts_with("cannot "), "operation {at}: {error}");
        });
    }
}

#[test]
fn a_disk_that_will_not_hold_a_checkpoint_is_not_even_tried() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (result, _) = train_on(folder.path(), usize::MAX, Fault::Death, 2000);
    let error = result.expect_err("there is no room");
    assert_eq!(error.kind().exit_code(), 8);
    assert!(error.to_string().starts_with("cannot save checkpoints/00000000 in "), "{error}");
    assert!(error.to_string().ends_with(" kB are needed, and 2.0 kB are free"), "{error}");
    assert_eq!(leftovers(folder.path()), [""; 0]);
}
