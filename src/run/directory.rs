//! The run directory: everything that is known about one training run, in files that are whole
//! whenever somebody looks.
//!
//! ```text
//! config.toml              the resolved configuration; `train --config` takes it
//! run.json                 versions, device, data set and its files' hashes, seed
//! metrics.jsonl            a line an epoch, as `train --json` prints it
//! metrics.csv              the same for spreadsheets
//! log.txt                  what happened, with the time
//! checkpoints/<step>/      model.safetensors
//! best, last               text files with a checkpoint's path, relative to the run directory
//! ```

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::clock::Moment;
use super::event;
use crate::atomic;
use crate::data::catalogue::Form;
use crate::data::hash::fingerprint;
use crate::error::{Error, Result};
use crate::train::{Checkpoint, End, Epoch, Observer, Start};

/// Columns of `metrics.csv`, which are the fields of an epoch's event.
const COLUMNS: [&str; 11] = [
    "epoch",
    "step",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "train_cross_entropy",
    "test_cross_entropy",
    "learning_rate",
    "seconds",
    "images_per_second",
];

/// Records a run in a directory of its own.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    config_toml: String,
    /// Path of the best checkpoint, relative to the run directory.
    best: Option<String>,
    /// Path of the newest checkpoint, relative to the run directory.
    last: Option<String>,
}

impl RunDirectory {
    /// Records a run in `path`, an empty directory.
    pub fn create(path: &Path, config_toml: String) -> Result<Self> {
        let checkpoints = path.join("checkpoints");
        fs::create_dir_all(&checkpoints)
            .map_err(|cause| Error::io(format!("create {}", checkpoints.display()), &cause))?;
        Ok(RunDirectory { path: path.to_path_buf(), config_toml, best: None, last: None })
    }

    fn append(&self, name: &str, line: &str) -> Result<()> {
        let path = self.path.join(name);
        let failed = |cause| Error::io(format!("write {}", path.display()), &cause);
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        // One write a line: a reader sees whole lines, and so does a run that was killed.
        file.write_all(format!("{line}\n").as_bytes()).map_err(failed)
    }

    fn log(&self, line: &str) -> Result<()> {
        self.append("log.txt", &format!("{} {line}", Moment::now().for_logs()))
    }

    fn point(&self, name: &str, checkpoint: &str) -> Result<()> {
        atomic::write(&self.path.join(name), format!("{checkpoint}\n").as_bytes())
    }

    /// Removes a checkpoint that neither `best` nor `last` names any more.
    fn prune(&self, checkpoint: Option<String>) -> Result<()> {
        match checkpoint {
            Some(old) if self.best.as_ref() != Some(&old) && self.last.as_ref() != Some(&old) => {
                let path = self.path.join(old);
                fs::remove_dir_all(&path)
                    .map_err(|cause| Error::io(format!("remove {}", path.display()), &cause))
            }
            _ => Ok(()),
        }
    }
}

impl Observer for RunDirectory {
    fn start(&mut self, start: &Start) -> Result<()> {
        atomic::write(&self.path.join("config.toml"), self.config_toml.as_bytes())?;
        let hashes = start.files.iter().map(|file| {
            let name = file.display().to_string();
            fingerprint(file, Form::AsIs).map(|found| (name, Value::String(found.sha256)))
        });
        let run = json!({
            "schema": event::SCHEMA,
            "shadegrad": env!("CARGO_PKG_VERSION"),
            "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            "arguments": std::env::args().collect::<Vec<_>>(),
            "device": start.device,
            "dataset": start.dataset,
            "files_sha256": hashes.collect::<Result<serde_json::Map<_, _>>>()?,
            "model": start.model,
            "parameters": start.parameters,
            "seed": start.config.seed,
        });
        let text = serde_json::to_string_pretty(&run).expect("plain values turn into JSON");
        atomic::write(&self.path.join("run.json"), text.as_bytes())?;
        self.append("metrics.csv", &COLUMNS.join(","))?;
        self.log(&format!("started on {}: {} on {}", start.device.name, start.model, start.dataset.name))
    }

    fn epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let values = serde_json::to_value(epoch).expect("plain values turn into JSON");
        let cells: Vec<_> = COLUMNS.iter().map(|&column| values[column].to_string()).collect();
        self.append("metrics.jsonl", &event::line("epoch", epoch)?)?;
        self.append("metrics.csv", &cells.join(","))?;
        self.log(&format!("epoch {}: test accuracy {:.4}", epoch.epoch, epoch.test_accuracy))
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint<'_>) -> Result<()> {
        let name = format!("checkpoints/{:08}", checkpoint.step);
        let folder = self.path.join(&name);
        fs::create_dir_all(&folder)
            .map_err(|cause| Error::io(format!("create {}", folder.display()), &cause))?;
        checkpoint.model.write(&folder.join("model.safetensors"))?;
        // The pointers move only once the checkpoint is whole, and old ones go only after that.
        self.point("last", &name)?;
        let old_last = self.last.replace(name.clone());
        let mut old_best = None;
        if checkpoint.best || self.best.is_none() {
            self.point("best", &name)?;
            old_best = self.best.replace(name);
        }
        if old_best != old_last {
            self.prune(old_best)?;
        }
        self.prune(old_last)
    }

    fn end(&mut self, end: &End) -> Result<()> {
        self.log(&format!(
            "ended after {} steps: test accuracy {:.4}, weights {}",
            end.steps, end.test_accuracy, end.weights_sha256
        ))
    }
}
