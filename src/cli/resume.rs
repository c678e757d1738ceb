//! `shadegrad resume`: continues a run from its last checkpoint, or trains it further.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::continuation::{self, Opened};
use super::device_choice::DeviceFlags;
use super::observers::OutputFlags;
use super::setting_flags::origin;
use super::signals::stop_on_signals;
use super::{output, training_data};
use crate::config::{Config, Key, Settings};
use crate::data::Dataset;
use crate::device::{Device, Profile};
use crate::error::{Error, Result};
use crate::run::supervisor::record_changes;
use crate::run::{Change, Continuation, RecordedDevice, RunNotice, RunSource, Supervisor};
use crate::train::Trainer;

const EXAMPLES: &str = "Examples:
  shadegrad resume runs/20260131-235959-cifar10-mlp
  shadegrad resume runs/NAME --epochs 20 --lr 0.01   # train it further
  shadegrad resume runs/NAME --data ~/flowers        # the data were moved

The run continues from its last intact checkpoint, on the device that it began on, and ends with the same \
weights, bit for bit, as an uninterrupted run.

--epochs and --lr change the rest of the run, and extend a finished one: the learning rate schedule then \
covers all epochs and continues at the run's step. --epochs lifts a limit set by --max-steps, and the \
count of --patience restarts. run.json keeps the old settings.";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct ResumeArguments {
    /// Folder of the run
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    run: PathBuf,

    /// New total number of epochs of the run
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<OsString>,

    /// New learning rate, or the peak of its schedule
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lr: Option<OsString>,

    /// New place of the run's data, if they were moved: a folder or a known data set
    #[arg(long, value_name = "NAME|DIR", value_hint = ValueHint::DirPath)]
    data: Option<OsString>,

    /// Folder of known data sets, instead of the usual places
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceFlags,

    #[command(flatten)]
    output: OutputFlags,
}

impl ResumeArguments {
    fn changes(&self) -> Result<Settings> {
        let mut changes = Settings::default();
        for (key, text) in [(Key::Epochs, &self.epochs), (Key::Lr, &self.lr), (Key::Data, &self.data)] {
            if let Some(text) = text {
                changes.set_text(key, text, origin(key))?;
                if changes.get(key).is_some_and(|setting| setting.is_open(key)) {
                    let message = format!("--{} auto: a resumed run needs a number", key.name());
                    return Err(
                        Error::usage(message).advise("give the number of epochs, for example --epochs 20")
                    );
                }
            }
        }
        Ok(changes)
    }
}

pub(super) fn run(arguments: &ResumeArguments) -> Result<()> {
    let ResumeArguments { run, device, data_dir, output: flags, .. } = arguments;
    let mut resumed = ResumeRun {
        run,
        device: device.clone(),
        data_dir: data_dir.clone(),
        changes: arguments.changes()?,
        profile: None,
        quiet: flags.is_quiet(),
    };
    let Opened { run: opened, finished } = continuation::open(run, &resumed.changes)?;
    // With --json, the last event of the run is printed again.
    if let Some(finished) = &finished
        && !flags.is_json()
    {
        resumed.record_places(opened)?;
        if !flags.is_quiet() {
            output::print_note(&format!("note: {finished}\n"));
        }
        return Ok(());
    }
    let mut observers = flags.open()?;
    resumed.profile = observers.profile();
    let stop = stop_on_signals()?;
    let supervisor = Supervisor { folder: run, source: &resumed, stop: &stop };
    let ended = supervisor.resume(opened, &mut observers.all())?;
    observers.finish(run, ended)
}

/// A run to resume, with the user's options.
pub(super) struct ResumeRun<'a> {
    pub(super) run: &'a Path,
    /// Replaces the device that the run began on, if the flags name one.
    pub(super) device: DeviceFlags,
    /// Replaces the folder from which the run loads its data.
    pub(super) data_dir: Option<PathBuf>,
    pub(super) changes: Settings,
    /// Collects the time that kernels take.
    pub(super) profile: Option<Profile>,
    pub(super) quiet: bool,
}

impl ResumeRun<'_> {
    /// Whether the user names the place of the data.
    fn names_place(&self) -> bool {
        self.changes.get(Key::Data).is_some() || self.data_dir.is_some()
    }

    /// Records the new place of the data of a finished run, if the user names one.
    fn record_places(&self, opened: Continuation) -> Result<()> {
        if !self.names_place() {
            return Ok(());
        }
        self.dataset(&opened)?;
        let Continuation { mut directory, config, change, .. } = opened;
        record_changes(&mut directory, self.data_dir.as_deref(), change.as_ref(), &config)
    }
}

impl RunSource for ResumeRun<'_> {
    fn reopen(&self) -> Result<Continuation> {
        continuation::open(self.run, &self.changes).map(|opened| opened.run)
    }

    /// Loads the data set of the run, and checks that it fits the run.
    fn dataset(&self, run: &Continuation) -> Result<Dataset> {
        let Continuation { config, record, snapshot, .. } = run;
        training_data::check_recorded(&config.data)?;
        let data_dir = self.data_dir.clone().or_else(|| record.search_folder());
        let dataset =
            training_data::load(config, data_dir, !self.quiet)?.as_recorded(record.data_files.count);
        // These checks come before anything is recorded.
        if run.change.is_some() || self.names_place() {
            record.data_files.check(&dataset.files)?;
            let classes = snapshot.model.about.as_ref().map(|about| &about.classes);
            if classes.is_some_and(|classes| *classes != dataset.classes) {
                return Err(Error::data(format!("the classes of {} differ from the run's", dataset.name))
                    .advise("restore the old names of the class folders"));
            }
        }
        Ok(dataset)
    }

    fn device(&self, began_on: &RecordedDevice) -> Result<Box<dyn Device>> {
        self.device.open_again(began_on, self.profile.clone(), self.quiet)
    }

    fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    fn loaded(&self, dataset: &Dataset) {
        output::print_warnings(dataset);
    }

    fn changed(&self, change: &Change, config: &Config, trainer: &Trainer<'_>) {
        output::print_note(&continuation::note(change, config, trainer));
    }

    fn notice(&self, notice: &RunNotice<'_>) {
        output::print_note(&format!("note: {notice}\n"));
    }
}
