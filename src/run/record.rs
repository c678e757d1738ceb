//! `run.json`: the record of a run.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let record = shadegrad::run::record::Record::read(Path::new("runs/mine"))?;
//! println!("trained on {}", record.device);
//! # Ok::<(), shadegrad::Error>(())
//! ```

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::changes::Change;
use super::data_files::DataFiles;
use super::event;
use super::state::State;
use crate::device::{Device, DeviceInfo, Options};
use crate::error::{Error, Result};
use crate::remedy::Remedy;
use crate::train::{DatasetInfo, Start};

/// File name of the record in a run's folder.
pub(super) const NAME: &str = "run.json";

/// The parts of the record that resuming a run needs.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// The version of the program.
    pub shadegrad: String,
    /// The device that trained.
    pub device: RecordedDevice,
    /// The files of the data set.
    #[serde(alias = "files_sha256")]
    pub data_files: DataFiles,
    /// The folder in which known data sets were searched, if one was given.
    pub data_dir: Option<PathBuf>,
    /// The state of the run. Records of older versions have none.
    #[serde(default)]
    pub state: Option<State>,
    /// Settings that were changed when the run was resumed, oldest first.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The whole contents of the file.
    #[serde(skip)]
    pub(super) facts: Value,
    /// Properties of the data set.
    pub dataset: DatasetInfo,
    /// Length of the schedule in steps. Runs that were made before `max-steps` shortened the
    /// schedule have none.
    pub schedule_steps: Option<usize>,
}

/// The identification of a device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RecordedDevice {
    /// The adapter's name.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `cpu`.
    pub backend: String,
    /// Driver name and version.
    pub driver: String,
}

impl RecordedDevice {
    /// Opens the same device.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if it does not exist; else as
    /// [`Options::open`].
    pub fn open(&self, options: &Options) -> Result<Box<dyn Device>> {
        options.open_exactly(&self.name, &self.backend)?.ok_or_else(|| {
            Error::device(format!("the run began on {self}, which is not here"))
                .advise(Remedy::ResumeElsewhere)
        })
    }

    /// Whether `info` is another device, so that results may differ by rounding. The CPU is the
    /// same device for any number of threads.
    pub fn differs_from(&self, info: &DeviceInfo) -> bool {
        let is_same = (&self.name, &self.backend, &self.driver) == (&info.name, &info.backend, &info.driver);
        !is_same && [&*self.backend, &*info.backend] != ["cpu", "cpu"]
    }
}

impl fmt::Display for RecordedDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.name, self.backend)
    }
}

pub(super) fn render(start: &Start, data_dir: Option<&Path>) -> Result<Value> {
    Ok(json!({
        "schema": event::SCHEMA,
        "shadegrad": env!("CARGO_PKG_VERSION"),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "arguments": std::env::args_os().map(|text| text.to_string_lossy().into_owned()).collect::<Vec<_>>(),
        "device": start.device,
        "limits": start.limits,
        "dataset": start.dataset,
        "data_files": DataFiles::read(&start.config.data, &start.files)?,
        "data_dir": self::data_dir(data_dir),
        "model": start.model,
        "parameters": start.parameters,
        "seed": start.config.seed,
        "steps_per_epoch": start.steps_per_epoch,
        "schedule_steps": start.config.learning_rates(start.steps_per_epoch).steps,
    }))
}

/// Returns the folder as an absolute path, so that it does not depend on where the run is resumed.
pub(super) fn data_dir(folder: Option<&Path>) -> Value {
    json!(folder.map(|folder| std::path::absolute(folder).unwrap_or_else(|_| folder.into())))
}

impl Record {
    /// Returns the folder in which to search the known data set of the run, if it is recorded and
    /// not lost.
    pub fn search_folder(&self) -> Option<PathBuf> {
        self.data_files.search_folders(self.data_dir.as_deref()).next()
    }

    /// Reads the record in the folder of a run.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) if there is none or it is damaged.
    pub fn read(run: &Path) -> Result<Self> {
        let bad = |what: String| {
            Error::model(format!("{} is not the folder of a run: {NAME} {what}", run.display()))
                .advise(Remedy::GiveRunFolder)
        };
        let text = std::fs::read_to_string(run.join(NAME))
            .map_err(|cause| bad(format!("cannot be read: {cause}")))?;
        let damaged = |cause| bad(format!("is damaged: {cause}"));
        let facts: Value = serde_json::from_str(&text).map_err(damaged)?;
        Ok(Record { facts: facts.clone(), ..serde_json::from_value(facts).map_err(damaged)? })
    }
}
