//! Trains a run and, if its device is lost, reopens the device and resumes the run once from its
//! last checkpoint.
//!
//! A driver that was reset computes again when the device is reopened. One that fails twice will
//! not.
//!
//! ```no_run
//! use shadegrad::device::Options;
//! use shadegrad::run::{RecordedRun, RunSource, Supervisor};
//! use shadegrad::train::StopFlag;
//!
//! let source = RecordedRun { folder: "runs/mine".into(), options: Options::default() };
//! let stop = StopFlag::default();
//! let supervisor = Supervisor { folder: &source.folder, source: &source, stop: &stop };
//! let ended = supervisor.resume(source.reopen()?, &mut [])?;
//! println!("test accuracy {}", ended.trained?.test_accuracy);
//! # Ok::<(), shadegrad::Error>(())
//! ```

use std::fmt;
use std::path::{Path, PathBuf};

use super::changes::Change;
use super::directory::RunDirectory;
use super::record::{Record, RecordedDevice};
use super::reopen::{Reopened, reopen};
use super::tensorboard::EventFile;
use crate::config::Config;
use crate::data::{Dataset, ImageShape, Split};
use crate::data::{Search, load};
use crate::device::cpu::Cpu;
use crate::device::{Device, Options};
use crate::error::{Error, Result};
use crate::remedy::Remedy;
use crate::tensor::Precision;
use crate::train::{End, Observer, Snapshot, StopFlag, Trainer};

/// A run at its last intact checkpoint, about to be resumed.
#[derive(Debug)]
pub struct Continuation {
    /// The directory that records the rest of the run.
    pub directory: RunDirectory,
    /// The state in the last intact checkpoint.
    pub snapshot: Snapshot,
    /// The new configuration.
    pub config: Config,
    /// The record of the run.
    pub record: Record,
    /// Changes of the configuration, if there are any.
    pub change: Option<Change>,
}

impl From<Reopened> for Continuation {
    /// Continues the run without changes.
    fn from(reopened: Reopened) -> Self {
        let Reopened { directory, snapshot, config, record, .. } = reopened;
        Continuation { directory, snapshot, config, record, change: None }
    }
}

/// Provides the checkpoint, the data and the device of a resumed run. Each is requested again after
/// the device was lost.
pub trait RunSource {
    /// Reopens the run at its last intact checkpoint.
    ///
    /// # Errors
    /// As [`reopen`](reopen()).
    fn reopen(&self) -> Result<Continuation>;

    /// Loads the data set of the run.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) if it is missing or damaged.
    fn dataset(&self, run: &Continuation) -> Result<Dataset>;

    /// Opens the device that the run continues on.
    ///
    /// # Errors
    /// [`ErrorKind::Device`](crate::ErrorKind::Device) if it is missing or cannot be opened.
    fn device(&self, began_on: &RecordedDevice) -> Result<Box<dyn Device>>;

    /// Returns a new folder of data sets to record for the run, if it has changed.
    fn data_dir(&self) -> Option<&Path> {
        None
    }

    /// The data set was loaded, for the first time in this process.
    fn loaded(&self, dataset: &Dataset) {
        let _ = dataset;
    }

    /// The run continues with this change.
    fn changed(&self, change: &Change, config: &Config, trainer: &Trainer<'_>) {
        let _ = (change, config, trainer);
    }

    /// A notice for the user.
    fn notice(&self, notice: &RunNotice<'_>) {
        let _ = notice;
    }
}

/// The run in a folder, with its recorded data and its original device.
#[derive(Clone, Debug)]
pub struct RecordedRun {
    /// Folder of the run.
    pub folder: PathBuf,
    /// Options for opening the device.
    pub options: Options,
}

impl RunSource for RecordedRun {
    fn reopen(&self) -> Result<Continuation> {
        reopen(&self.folder).map(Continuation::from)
    }

    fn dataset(&self, run: &Continuation) -> Result<Dataset> {
        let Continuation { config, record, .. } = run;
        let search = Search::from_environment(record.search_folder());
        Ok(load(&config.data, &search, &config.pictures())?.as_recorded(record.data_files.count))
    }

    fn device(&self, began_on: &RecordedDevice) -> Result<Box<dyn Device>> {
        began_on.open(&self.options)
    }
}

/// A notice about a supervised run. It is not an error.
#[derive(Debug)]
pub enum RunNotice<'a> {
    /// The device was lost. The run is resumed.
    DeviceLost(&'a Error),
    /// The run was started on another device.
    OtherDevice(&'a RecordedDevice),
    /// The run asks for f16, which the device with this name does not support.
    NoF16(&'a str),
}

impl<'a> RunNotice<'a> {
    /// Returns the notice for a configuration with f16 on a device that does not support it.
    pub fn about_precision(config: &Config, device: &'a dyn Device) -> Option<Self> {
        let lacks_f16 = config.precision == Precision::F16 && !device.has_f16();
        lacks_f16.then(|| RunNotice::NoF16(&device.info().name))
    }
}

impl fmt::Display for RunNotice<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunNotice::DeviceLost(error) => {
                write!(formatter, "{error}; reopening the device and resuming from the last checkpoint")
            }
            RunNotice::OtherDevice(began_on) => {
                write!(formatter, "the run began on {began_on}: the rest of the run has different rounding")
            }
            RunNotice::NoF16(name) => write!(formatter, "f16 is not supported on {name}: training in f32"),
        }
    }
}

/// A new run that is ready to train.
pub struct PreparedRun<'a> {
    device: Box<dyn Device>,
    trainer: Trainer<'a>,
    test: Split,
    shape: ImageShape,
}

impl<'a> PreparedRun<'a> {
    /// Moves data and initial weights to the device. If the device is lost meanwhile, `again`
    /// reopens it and reloads the data, once.
    ///
    /// # Errors
    /// As [`Trainer::new`] and `again`.
    pub fn new(
        config: &'a Config,
        dataset: Dataset,
        device: Box<dyn Device>,
        again: impl FnOnce(&Error) -> Result<(Dataset, Box<dyn Device>)>,
    ) -> Result<Self> {
        let (test, shape) = (dataset.test.clone(), dataset.shape);
        let (device, trainer) = match Trainer::new(config, dataset, &*device) {
            Err(lost) if device.is_lost(&lost) => {
                // A driver may not have enough memory for both.
                drop(device);
                let (dataset, device) = again(&lost)?;
                let trainer = Trainer::new(config, dataset, &*device)?;
                (device, trainer)
            }
            other => (device, other?),
        };
        Ok(PreparedRun { device, trainer, test, shape })
    }
}

/// A run that has ended, with what is needed to evaluate its model.
pub struct SupervisedRun {
    /// How the run ended.
    pub trained: Result<End>,
    /// The device, or the CPU if the device was lost.
    pub device: Box<dyn Device>,
    /// The test images.
    pub test: Split,
    /// Their shape.
    pub shape: ImageShape,
}

impl SupervisedRun {
    /// Returns the error of a run that has lost its device.
    fn lost(&self) -> Option<Error> {
        let error = self.trained.as_ref().err()?;
        self.device.is_lost(error).then(|| error.clone())
    }
}

/// Trains a run, and resumes it once if its device is lost.
pub struct Supervisor<'a> {
    /// Folder of the run.
    pub folder: &'a Path,
    /// The source of checkpoint, data and device for resuming.
    pub source: &'a dyn RunSource,
    /// A flag that stops the run.
    pub stop: &'a StopFlag,
}

impl Supervisor<'_> {
    /// Trains a new run that `directory` records.
    pub fn train(
        &self,
        prepared: PreparedRun<'_>,
        directory: RunDirectory,
        observers: &mut [&mut dyn Observer],
    ) -> SupervisedRun {
        let PreparedRun { device, trainer, test, shape } = prepared;
        let trained = self.observe(trainer, directory, observers);
        self.recover(SupervisedRun { trained, device, test, shape }, observers)
    }

    /// Resumes a run that was reopened.
    ///
    /// # Errors
    /// Errors that prevent the run from continuing. Later errors are in the [`SupervisedRun`].
    pub fn resume(&self, opened: Continuation, observers: &mut [&mut dyn Observer]) -> Result<SupervisedRun> {
        let run = self.attempt(opened, None, observers)?;
        Ok(self.recover(run, observers))
    }

    /// Returns the run itself, or the resumed run if it has lost its device.
    fn recover(&self, run: SupervisedRun, observers: &mut [&mut dyn Observer]) -> SupervisedRun {
        let Some(lost) = run.lost() else { return run };
        self.source.notice(&RunNotice::DeviceLost(&lost));
        let SupervisedRun { device, test, shape, .. } = run;
        // A driver may not have enough memory for both.
        drop(device);
        let resumed = self.source.reopen().and_then(|opened| self.attempt(opened, Some(&lost), observers));
        let cpu = || Box::new(Cpu::new());
        match resumed {
            Ok(run) => match run.lost() {
                Some(next) => {
                    SupervisedRun { trained: Err(self.lost_twice(&lost, &next)), device: cpu(), ..run }
                }
                None => run,
            },
            Err(next) => {
                SupervisedRun { trained: Err(self.lost_twice(&lost, &next)), device: cpu(), test, shape }
            }
        }
    }

    /// Continues a reopened run. `lost` is the error if it lost its device in this process.
    fn attempt(
        &self,
        opened: Continuation,
        lost: Option<&Error>,
        observers: &mut [&mut dyn Observer],
    ) -> Result<SupervisedRun> {
        let source = self.source;
        let dataset = source.dataset(&opened)?;
        let Continuation { mut directory, snapshot, config, record, change } = opened;
        match lost {
            // The same warnings about the data were logged before.
            Some(lost) => directory.log_warnings(&[format!("{lost}; resuming on the reopened device")])?,
            None => {
                source.loaded(&dataset);
                directory.log_warnings(&dataset.warnings)?;
            }
        }
        let device = source.device(&record.device)?;
        if record.device.differs_from(device.info()) {
            source.notice(&RunNotice::OtherDevice(&record.device));
        }
        if let Some(notice) = RunNotice::about_precision(&config, &*device) {
            source.notice(&notice);
            directory.log_warnings(&[notice.to_string()])?;
        }
        let (test, shape) = (dataset.test.clone(), dataset.shape);
        let trainer = match Trainer::resume(&config, dataset, &*device, snapshot) {
            // A device may also be lost before the first step.
            Err(lost) if device.is_lost(&lost) => {
                return Ok(SupervisedRun { trained: Err(lost), device, test, shape });
            }
            other => other?,
        };
        record_changes(&mut directory, source.data_dir(), change.as_ref(), &config)?;
        if let Some(change) = &change {
            source.changed(change, &config, &trainer);
        }
        let trained = self.observe(trainer, directory, observers);
        Ok(SupervisedRun { trained, device, test, shape })
    }

    /// Trains to the end, recorded in the folder. Closes the run's files: a run that is resumed
    /// opens them again.
    fn observe(
        &self,
        trainer: Trainer<'_>,
        mut directory: RunDirectory,
        observers: &mut [&mut dyn Observer],
    ) -> Result<End> {
        let mut events = EventFile::create(self.folder);
        let mut all: Vec<&mut dyn Observer> = vec![&mut directory, &mut events];
        all.extend(observers.iter_mut().map(|observer| &mut **observer as &mut dyn Observer));
        trainer.train(self.folder, &mut all, self.stop)
    }

    /// The error of a run that lost its device and could not be resumed: the device was lost again
    /// or is gone, or there is no checkpoint yet.
    fn lost_twice(&self, lost: &Error, next: &Error) -> Error {
        let remedy = if self.folder.join("last").is_file() {
            Remedy::Resume(self.folder.into())
        } else {
            Remedy::or_cpu("start the run again")
        };
        Error::device(format!("{lost}; then: {next}")).advise(remedy)
    }
}

/// Records a new data folder and the changes of the configuration.
pub(crate) fn record_changes(
    directory: &mut RunDirectory,
    data_dir: Option<&Path>,
    change: Option<&Change>,
    config: &Config,
) -> Result<()> {
    if let Some(data_dir) = data_dir {
        directory.move_data_dir(data_dir)?;
    }
    match change {
        Some(change) => directory.change(change, config.to_toml()),
        None => Ok(()),
    }
}
