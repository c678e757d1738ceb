//! `run.json`: how a run came about.

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

/// The record's name in a run's folder.
pub(super) const NAME: &str = "run.json";

/// What a run that goes on needs to know of its beginning.
#[derive(Clone, Debug, Deserialize)]
pub struct Record {
    /// The version of the program.
    pub shadegrad: String,
    /// What trained.
    pub device: RecordedDevice,
    /// The files of the data set.
    #[serde(alias = "files_sha256")]
    pub data_files: DataFiles,
    /// Where known data sets were looked for, if somebody said so.
    pub data_dir: Option<PathBuf>,
    /// What became of it; nothing in the records of older versions.
    #[serde(default)]
    pub state: Option<State>,
    /// Settings that were changed when it was resumed, oldest first.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// All that the file says.
    #[serde(skip)]
    pub(super) facts: Value,
    /// The data set in numbers.
    pub dataset: DatasetInfo,
    /// Steps over which the schedule is laid out. Runs that were made before schedules followed
    /// `max-steps` do not have it.
    pub schedule_steps: Option<usize>,
}

/// A device as it called itself.
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
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if it is not there; else as
    /// [`Options::open`].
    pub fn open(&self, options: &Options) -> Result<Box<dyn Device>> {
        options.open_exactly(&self.name, &self.backend)?.ok_or_else(|| {
            Error::device(format!("the run began on {self}, which is not here"))
                .advise(Remedy::ResumeElsewhere)
        })
    }

    /// Whether `info` is another device, so that results differ by rounding. Any number of threads
    /// is the same CPU.
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

/// The record of a run that starts.
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

/// As the record has it: wherever the run is resumed, the folder is the same.
pub(super) fn data_dir(folder: Option<&Path>) -> Value {
    json!(folder.map(|folder| std::path::absolute(folder).unwrap_or_else(|_| folder.into())))
}

impl Record {
    /// Where to look for known data sets: where the user said, else where the run found its files,
    /// if that folder is still there.
    pub fn data_place(&self) -> Option<PathBuf> {
        let found = || self.data_files.folder.as_ref().map(PathBuf::from).filter(|folder| folder.is_dir());
        self.data_dir.clone().or_else(found)
    }

    /// Reads the record in the folder of a run.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) where there is none or it is damaged.
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

    /// Checks that the data set's files have the contents that the run began with. They may lie
    /// elsewhere now.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) where they have others, or cannot be read.
    pub fn check_data(&self, files: &[PathBuf]) -> Result<()> {
        self.data_files.check(files)
    }
}
