//! Checkpoints: damage is always detected, and forged checkpoints do no harm.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shadegrad::ErrorKind::{Interrupted, Model};
use shadegrad::config::{Config, Key};
use shadegrad::device::cpu::Cpu;
use shadegrad::run::{RunDirectory, checkpoint};
use shadegrad::train::{StopFlag, Trainer};

use crate::harness::{Case, Target, dictionary, fuzz, taken};
use crate::model_file::dataset;
use crate::samples::small_run::resolved;

const MANIFEST: &str = "SHA256SUMS";
const FILES: [&str; 5] =
    [MANIFEST, "config.toml", "model.safetensors", "optimizer.safetensors", "state.json"];

/// A run of a few blocks of single images.
fn short() -> Config {
    resolved(&[
        (Key::Model, "linear:5,relu"),
        (Key::BatchSize, "1"),
        (Key::Epochs, "2"),
        (Key::Momentum, "0.5"),
        (Key::CheckpointEvery, "3"),
    ])
}

/// Returns the last checkpoint of a short run in `folder`.
fn recorded(folder: &Path) -> PathBuf {
    let config = short();
    let mut directory = RunDirectory::create(folder, config.to_toml()).expect("it is writable");
    let trainer = Trainer::new(&config, dataset(), &Cpu::new()).expect("the run can start");
    let trained = trainer.train(folder, &mut [&mut directory], &StopFlag::default());
    trained.expect("the run ends well");
    let last = std::fs::read_to_string(folder.join("last")).expect("there is a last checkpoint");
    folder.join(last.trim())
}

/// Returns the files of the folder, one of them changed.
fn contents(case: &Case<'_>, samples: &[Vec<u8>]) -> Vec<(&'static str, Vec<u8>)> {
    let file = |(sample, name): (usize, &'static str)| {
        (name, if sample == case.sample { case.bytes.clone() } else { samples[sample].clone() })
    };
    FILES.into_iter().enumerate().map(file).collect()
}

fn write(folder: &Path, contents: &[(&str, Vec<u8>)]) {
    for (name, bytes) in contents {
        std::fs::write(folder.join(name), bytes).expect("the folder is writable");
    }
}

fn samples(run: &Path) -> Vec<Vec<u8>> {
    let last = recorded(run);
    FILES.map(|name| std::fs::read(last.join(name)).expect("it is readable")).to_vec()
}

#[test]
fn damaged() {
    let run = tempfile::tempdir().expect("a temporary folder");
    let samples = samples(run.path());
    let target = Target { name: "checkpoint", samples, dictionary: dictionary!("checkpoint"), mend: None };
    fuzz(&target, |case| {
        write(case.folder, &contents(case, &target.samples));
        let is_taken = taken(checkpoint::load(case.folder), &[Model]).is_some();
        assert_eq!(is_taken, case.bytes == case.original, "damage was not noticed");
        is_taken
    });
}

/// Updates the hashes, as someone could who changes a file and runs `sha256sum`.
#[test]
fn forged() {
    let run = tempfile::tempdir().expect("a temporary folder");
    let samples = samples(run.path());
    let target = Target { name: "forged", samples, dictionary: dictionary!("checkpoint"), mend: None };
    let (config, device) = (short(), Cpu::new());
    fuzz(&target, |case| {
        let mut contents = contents(case, &target.samples);
        let line = |(name, bytes): &(&str, Vec<u8>)| {
            let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{hash}  {name}\n")
        };
        if case.sample > 0 {
            contents[0].1 = contents[1..].iter().map(line).collect::<String>().into();
        }
        write(case.folder, &contents);
        let Some(snapshot) = taken(checkpoint::load(case.folder), &[Model]) else { return false };
        let resumed = Trainer::resume(&config, dataset(), &device, snapshot);
        let Some(trainer) = taken(resumed, &[Model]) else { return false };
        // A resumed run ends, or returns an error.
        let stop = StopFlag::default();
        let ended = trainer.train(case.folder, &mut [], &stop);
        taken(ended, &[Model, Interrupted, shadegrad::ErrorKind::Diverged]).is_some()
    });
}
