//! The contents of a run's directory, as shown in a report.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::{ConfigFile, Settings, Sources, resolve};
use crate::device::DeviceInfo;
use crate::error::{Error, Result};
use crate::optim::LearningRate;
use crate::run::DataFiles;
use crate::train::{DatasetInfo, Epoch};

/// A run, finished or not.
#[derive(Clone, Debug)]
pub struct Record {
    /// Name of the directory.
    pub name: String,
    /// Contents of `run.json`.
    pub facts: Facts,
    /// Contents of `config.toml`.
    pub settings: Settings,
    /// Learning rate of each step, computed from `config.toml` and the number of images.
    pub learning_rate: Option<LearningRate>,
    /// Contents of `metrics.jsonl`.
    pub epochs: Vec<Epoch>,
}

/// The part of `run.json` that a report shows.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Facts {
    /// Version of the program.
    pub shadegrad: String,
    /// Operating system and processor architecture.
    pub system: String,
    /// Arguments of the command line.
    pub arguments: Vec<String>,
    /// The device that trained.
    pub device: DeviceInfo,
    /// The data set.
    pub dataset: DatasetInfo,
    /// The files of the data set.
    #[serde(alias = "files_sha256")]
    pub data_files: DataFiles,
    /// The folder in which known data sets were searched, if one was given.
    pub data_dir: Option<PathBuf>,
    /// The layers, including inferred ones.
    pub model: String,
    /// Number of trainable parameters.
    pub parameters: u64,
}

impl Record {
    /// Reads the contents of the directory `run`, which may be those of an unfinished run.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) if it is not a run, or if one of its files is
    /// damaged.
    pub fn read(run: &Path) -> Result<Self> {
        let text = read(run, "run.json")?;
        let facts: Facts = serde_json::from_str(&text).map_err(|cause| damaged(run, "run.json", &cause))?;
        // A run that has not completed its first epoch has no metrics yet.
        let metrics =
            if run.join("metrics.jsonl").exists() { read(run, "metrics.jsonl")? } else { String::new() };
        let config_file = run.join("config.toml");
        let sources =
            Sources { flags: Settings::default(), environment: &|_| None, file: Some(&config_file) };
        let settings = ConfigFile::read(&config_file)?.settings;
        // This version may reject a configuration that the version that trained accepted.
        let config = resolve(sources).ok().map(|resolved| resolved.config);
        let learning_rate =
            config.map(|config| config.learning_rates(config.steps_per_epoch(facts.dataset.train.max(1))));
        let absolute = run.canonicalize();
        let name = absolute.as_deref().unwrap_or(run).file_name().unwrap_or(run.as_os_str());
        Ok(Record {
            name: name.to_string_lossy().into_owned(),
            settings,
            learning_rate,
            epochs: epochs(&metrics).map_err(|cause| damaged(run, "metrics.jsonl", &cause))?,
            facts,
        })
    }

    /// Returns the best epoch according to the metric that the run monitors.
    pub fn best(&self) -> Option<&Epoch> {
        self.settings.monitor().best(&self.epochs)
    }

    /// Whether the run has validation images.
    pub fn has_validation(&self) -> bool {
        !self.epochs.is_empty() && self.epochs.iter().all(|epoch| epoch.validation.is_some())
    }

    /// Returns the name of the metric by which the best epoch was chosen.
    pub fn criterion(&self) -> String {
        let images = if self.has_validation() { "validation" } else { "test" };
        format!("{images} {}", self.settings.monitor().name())
    }
}

fn read(run: &Path, name: &str) -> Result<String> {
    fs::read_to_string(run.join(name)).map_err(|cause| {
        Error::model(format!("{} is not a run: cannot read its {name}: {cause}", run.display()))
            .advise("name the folder of a run, such as one in runs/")
    })
}

fn damaged(run: &Path, name: &str, cause: &serde_json::Error) -> Error {
    Error::model(format!("{} is damaged: {cause}", run.join(name).display()))
        .advise("restore the file from a backup, or train again")
}

/// Parses one epoch per line. A last line without a line break is incomplete and ignored.
fn epochs(lines: &str) -> serde_json::Result<Vec<Epoch>> {
    let whole = lines.rfind('\n').map_or("", |end| &lines[..end]);
    whole.lines().map(serde_json::from_str).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An epoch whose figures all differ.
    pub(in crate::report) fn epoch(number: usize, test_accuracy: f64) -> Epoch {
        let number_f64 = number as f64;
        Epoch {
            epoch: number,
            step: 100 * number,
            train_loss: 1.0 / number_f64,
            train_accuracy: 0.9,
            test_loss: 1.5 / number_f64,
            test_accuracy,
            train_cross_entropy: 0.9 / number_f64,
            test_cross_entropy: 1.4 / number_f64,
            learning_rate: 0.01 / number_f64,
            seconds: 2.5,
            images_per_second: 12_345.6,
            validation: None,
        }
    }

    #[test]
    fn a_line_that_is_being_written_is_not_there_yet() {
        let line = serde_json::to_string(&epoch(1, 0.5)).expect("plain values");
        let lines = format!("{line}\n{line}\n");
        assert_eq!(epochs(&lines).expect("whole lines").len(), 2);
        for cut in 0..line.len() {
            let lines = format!("{line}\n{}", &line[..cut]);
            assert_eq!(epochs(&lines).expect("one whole line"), [epoch(1, 0.5)]);
        }
        assert!(epochs("{\n").is_err());
    }

    #[test]
    fn what_is_no_run_is_called_so() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = Record::read(folder.path()).expect_err("it is empty");
        assert_eq!(error.kind(), crate::ErrorKind::Model);
        assert!(error.to_string().contains("is not a run"), "{error}");
    }
}
