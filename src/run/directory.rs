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

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::atomic;
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
    /// Makes the directory. Fails if it holds a run already, so that none is ever overwritten.
    pub fn create(path: &Path, config_toml: String) -> Result<Self> {
        let taken = path.read_dir().is_ok_and(|mut entries| entries.next().is_some());
        if taken {
            return Err(Error::usage(format!("{} is not empty", path.display()))
                .advise("give another directory with --out, or remove this one"));
        }
        let run = RunDirectory { path: path.to_path_buf(), config_toml, best: None, last: None };
        fs::create_dir_all(path.join("checkpoints"))
            .map_err(|cause| Error::io(format!("create {}", path.display()), &cause))?;
        Ok(run)
    }

    fn append(&self, name: &str, line: &str) -> Result<()> {
        let path = self.path.join(name);
        let failed = |cause| Error::io(format!("write {}", path.display()), &cause);
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        // One write a line: a reader sees whole lines, and so does a run that was killed.
        file.write_all(format!("{line}\n").as_bytes()).map_err(failed)
    }

    fn log(&self, line: &str) -> Result<()> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self.append("log.txt", &format!("{} {line}", utc(seconds)))
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
            sha256(file).map(|hash| (name, Value::String(hash)))
        });
        let run = json!({
            "schema": 1,
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
        let mut event = json!({ "schema": 1, "event": "epoch" });
        let fields = event.as_object_mut().expect("an event is an object");
        for column in COLUMNS {
            fields.insert(column.into(), values[column].clone());
        }
        let cells: Vec<_> = COLUMNS.iter().map(|&column| values[column].to_string()).collect();
        self.append("metrics.jsonl", &event.to_string())?;
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

/// The model file that `model` means: a run directory's best, a checkpoint directory's, or itself.
pub fn model_path(model: &Path) -> Result<PathBuf> {
    let missing = |what: String| {
        Error::model(format!("{}: {what}", model.display()))
            .advise("give a run directory, a checkpoint directory or a .safetensors file")
    };
    if model.is_file() {
        return Ok(model.to_path_buf());
    }
    if !model.is_dir() {
        return Err(missing("there is no such file or directory".into()));
    }
    let in_folder = |folder: &Path| folder.join("model.safetensors");
    if in_folder(model).is_file() {
        return Ok(in_folder(model));
    }
    let pointer = model.join("best");
    let text =
        fs::read_to_string(&pointer).map_err(|_| missing("holds no model.safetensors and no best".into()))?;
    let checkpoint = Path::new(text.trim());
    let inside = checkpoint.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let path = in_folder(&model.join(checkpoint));
    if inside && path.is_file() {
        Ok(path)
    } else {
        Err(missing(format!("its file best names `{}`, which holds no model", text.trim())))
    }
}

fn sha256(path: &Path) -> Result<String> {
    let failed = |cause| Error::io(format!("read {}", path.display()), &cause);
    let mut file = File::open(path).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// `2026-11-23T14:05:26Z` for seconds since 1970 (Howard Hinnant's civil-from-days algorithm).
pub fn utc(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (month, day) = ((shifted + 2) % 12 + 1, day_of_year - (153 * shifted + 2) / 5 + 1);
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_798_761_599), "2026-12-31T23:59:59Z");
    }
}
