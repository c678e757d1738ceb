//! Checkpoints that changed after they were saved: any changed bit is detected, and the run resumes
//! from the checkpoint before.

use std::fs;
use std::path::{Path, PathBuf};

use shadegrad::config::{Config, Key};
use shadegrad::run::{RunDirectory, checkpoint, reopen};
use shadegrad::train::{Position, Snapshot, StopFlag, Trainer};
use shadegrad::{ErrorKind, Remedy};

use crate::resume::support::{Witness, config, dataset, device, resume};

const FILES: [&str; 5] =
    ["SHA256SUMS", "config.toml", "model.safetensors", "optimizer.safetensors", "state.json"];

/// Nine steps, saved at every fourth.
fn short() -> Config {
    config(&[(Key::Momentum, "0.9"), (Key::CheckpointEvery, "4"), (Key::Epochs, "1")])
}

/// A recorded run with three checkpoints, and its last snapshots.
fn recorded() -> (tempfile::TempDir, Witness) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = short();
    let mut directory = RunDirectory::create(folder.path(), config.to_toml()).expect("it is writable");
    let mut witness = Witness::default();
    let trainer = Trainer::new(&config, dataset(), &*device("cpu")).expect("the run can start");
    trainer
        .train(folder.path(), &mut [&mut directory, &mut witness], &StopFlag::default())
        .expect("the run ends well");
    (folder, witness)
}

/// A snapshot with its tensors in file order.
fn as_in_files(snapshot: &Snapshot) -> Snapshot {
    let mut snapshot = snapshot.clone();
    for tensors in [&mut snapshot.model.tensors, &mut snapshot.optimizer.tensors] {
        tensors.sort_by(|one, other| one.name.cmp(&other.name));
    }
    snapshot
}

fn last_of(run: &Path) -> PathBuf {
    let last = fs::read_to_string(run.join("last")).expect("there is a last checkpoint");
    run.join(last.trim())
}

/// Asserts that a checkpoint with this file content is rejected, then restores the file.
fn assert_noticed(checkpoint: &Path, file: &str, content: &[u8], what: &str) {
    let path = checkpoint.join(file);
    let saved = fs::read(&path).expect("it is readable");
    fs::write(&path, content).expect("it is writable");
    let error = checkpoint::load(checkpoint).expect_err(what);
    assert_eq!(error.kind(), ErrorKind::Model, "{what}: {error}");
    fs::write(&path, saved).expect("it is writable");
}

#[test]
fn a_file_cut_short_anywhere_is_noticed() {
    let (run, _) = recorded();
    let last = last_of(run.path());
    checkpoint::load(&last).expect("it is whole");
    for file in FILES {
        let content = fs::read(last.join(file)).expect("it is readable");
        assert!(content.len() <= 8192, "{file} has {} bytes: cut it at some lengths only", content.len());
        for length in 0..content.len() {
            assert_noticed(&last, file, &content[..length], &format!("{file} cut to {length} bytes"));
        }
        let longer = [&content[..], b"\n"].concat();
        assert_noticed(&last, file, &longer, &format!("{file} with another line"));
    }
    checkpoint::load(&last).expect("it is whole again");
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (run, _) = recorded();
    let last = last_of(run.path());
    for file in FILES {
        let content = fs::read(last.join(file)).expect("it is readable");
        // Every bit of the manifest, and every 13th bit of the other files.
        let stride = if file == FILES[0] { 1 } else { 13 };
        for bit in (0..8 * content.len()).step_by(stride) {
            let mut flipped = content.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_noticed(&last, file, &flipped, &format!("bit {bit} of {file}"));
        }
    }
    checkpoint::load(&last).expect("it is whole again");
}

/// Checkpoints are not signed, so whoever changes one can also correct its hashes.
#[test]
fn a_forged_position_is_refused_before_a_step_is_made() {
    let (_, witness) = recorded();
    let config = short();
    let device = device("cpu");
    let [.., middle, last] = &witness.snapshots[..] else { panic!("too few checkpoints") };
    type Forgery<'a> = (&'a str, &'a Snapshot, fn(&mut Position));
    let forgeries: [Forgery<'_>; 8] = [
        ("a step ahead", middle, |position| position.step += 1),
        ("the last step that there is", middle, |position| position.step = usize::MAX),
        ("an epoch ahead", middle, |position| position.epochs = 1),
        ("the last epoch that there is", middle, |position| position.epochs = usize::MAX),
        ("over without a measurement", last, |position| position.last = None),
        ("over without a best epoch", last, |position| position.best = None),
        ("a best epoch to come", last, |position| position.best.as_mut().expect("there is one").epoch = 2),
        ("at the end of no epoch", last, |position| position.epochs = 0),
    ];
    for (what, snapshot, forge) in forgeries {
        let mut snapshot = as_in_files(snapshot);
        Trainer::resume(&config, dataset(), &*device, snapshot.clone()).expect("the run can go on");
        forge(&mut snapshot.position);
        let Err(error) = Trainer::resume(&config, dataset(), &*device, snapshot) else { panic!("{what}") };
        assert_eq!(error.kind(), ErrorKind::Model, "{what}: {error}");
        assert!(error.to_string().contains("not a position of this run"), "{what}: {error}");
    }
}

#[test]
fn a_missing_file_is_named() {
    for file in FILES {
        let (run, _) = recorded();
        let last = last_of(run.path());
        fs::remove_file(last.join(file)).expect("it is there");
        let error = checkpoint::load(&last).expect_err(file).to_string();
        assert!(error.contains(&format!("has no {file}")), "{error}");
    }
}

#[test]
fn a_changed_file_is_named() {
    let (run, _) = recorded();
    let last = last_of(run.path());
    let path = last.join("optimizer.safetensors");
    let mut content = fs::read(&path).expect("it is readable");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&path, content).expect("it is writable");
    let error = checkpoint::load(&last).expect_err("it has changed").to_string();
    assert!(error.contains("optimizer.safetensors has changed since it was saved"), "{error}");
}

#[test]
fn the_checkpoint_before_a_damaged_one_is_used() {
    let (run, witness) = recorded();
    let path = run.path();
    let last = last_of(path);
    fs::write(last.join("state.json"), "{}").expect("it is writable");
    let reopened = reopen(path).expect("there is another checkpoint");
    let [.., before, straight] = &witness.snapshots[..] else { panic!("too few checkpoints") };
    assert_eq!(reopened.snapshot, as_in_files(before));
    let [complaint] = &reopened.complaints[..] else { panic!("{:?}", reopened.complaints) };
    assert!(complaint.message.contains("state.json has changed since it was saved"), "{complaint}");
    assert!(complaint.message.ends_with("00000009.damaged now"), "{complaint}");
    assert!(!last.exists() && last.with_extension("damaged").is_dir());
    assert_eq!(last_of(path), path.join("checkpoints/00000008"));

    let config = short();
    let (_, rest) = resume(&config, &*device("cpu"), &reopened.snapshot);
    assert_eq!(rest.last().model, straight.model);

    // A second check gives the same result without complaints.
    drop(reopened);
    let again = reopen(path).expect("there is a checkpoint");
    assert_eq!((again.snapshot, again.complaints.len()), (as_in_files(before), 0));
}

#[test]
fn a_run_without_a_whole_checkpoint_says_how_to_start_again() {
    let (run, _) = recorded();
    for entry in fs::read_dir(run.path().join("checkpoints")).expect("it is readable") {
        fs::remove_file(entry.expect("it is readable").path().join("SHA256SUMS")).expect("it is there");
    }
    let error = reopen(run.path()).expect_err("nothing is whole");
    assert_eq!(error.kind(), ErrorKind::Model);
    assert!(error.to_string().contains("has no whole checkpoint"), "{error}");
    assert_eq!(error.remedy(), Some(&Remedy::StartAgain(run.path().join("config.toml"))));
    // The damaged files are kept: the user may still want the weights.
    assert!(last_of(run.path()).join("model.safetensors").exists());
}

#[test]
fn a_run_is_trained_by_one_process_at_a_time() {
    let (run, _) = recorded();
    let first = reopen(run.path()).expect("nobody else trains");
    let error = reopen(run.path()).expect_err("somebody trains already");
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().starts_with("another process is training in"), "{error}");
    drop(first);
    reopen(run.path()).expect("nobody else trains any more");
}

#[test]
fn checkpoints_under_another_name_are_not_taken_for_what_they_are_called() {
    let (run, _) = recorded();
    let checkpoints = run.path().join("checkpoints");
    fs::rename(checkpoints.join("00000009"), checkpoints.join("00000077")).expect("it is there");
    let reopened = reopen(run.path()).expect("there is another checkpoint");
    assert_eq!(reopened.snapshot.position.step, 8);
    let complaint = &reopened.complaints[0].message;
    assert!(complaint.contains("00000077 is that of step 9"), "{complaint}");
}
