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
use crate::device::Device;
use crate::device::profile::Profile;
use crate::error::{Error, Result};
use crate::run::record::RecordedDevice;
use crate::run::supervisor::record_changes;
use crate::run::{Change, Continuation, RunNotice, RunSource, Supervisor};
use crate::train::Trainer;

const EXAMPLES: &str = "Examples:
  shadegrad resume runs/20260131-235959-cifar10-mlp
  shadegrad resume runs/NAME --epochs 20 --lr 0.01   # train it further
  shadegrad resume runs/NAME --data ~/flowers        # the data were moved

The run continues from its last whole checkpoint, on the device that it began on, and ends with the same \
weights, bit for bit, as if it had never been interrupted.

--epochs and --lr change the run from here on, also a finished one: the schedule of the learning rate is laid \
out anew over all epochs and continues where the run is. --epochs lifts a limit set by --max-steps, and \
patience that has run out counts anew. run.json keeps the old settings.";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct ResumeArguments {
    /// The run's folder
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    run: PathBuf,

    /// Train until the run has had this many epochs in all
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<OsString>,

    /// New learning rate, or the peak of its schedule
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    lr: Option<OsString>,

    /// Where the run's data are now, if they were moved: a folder or a known data set
    #[arg(long, value_name = "NAME|DIR", value_hint = ValueHint::DirPath)]
    data: Option<OsString>,

    /// Look for known data sets here only
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceFlags,

    #[command(flatten)]
    output: OutputFlags,
}

impl ResumeArguments {
    /// The settings that are to be changed.
    fn changes(&self) -> Result<Settings> {
        let mut changes = Settings::default();
        for (key, text) in [(Key::Epochs, &self.epochs), (Key::Lr, &self.lr), (Key::Data, &self.data)] {
            if let Some(text) = text {
                changes.set_text(key, text, origin(key))?;
                if changes.get(key).is_some_and(|setting| setting.is_open(key)) {
                    let message = format!("--{} auto: a run that is resumed needs a number", key.name());
                    return Err(
                        Error::usage(message).advise("name the number of epochs, for example --epochs 20")
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
    // Programs that read JSON get the run's last event again.
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

/// A run that is resumed, with what the user asks for.
pub(super) struct ResumeRun<'a> {
    pub(super) run: &'a Path,
    /// Replaces the device that the run began on, if one is named.
    pub(super) device: DeviceFlags,
    /// Replaces the folder that the run has its data from.
    pub(super) data_dir: Option<PathBuf>,
    /// Settings to change.
    pub(super) changes: Settings,
    /// Collects the time that kernels take.
    pub(super) profile: Option<Profile>,
    pub(super) quiet: bool,
}

impl ResumeRun<'_> {
    /// Whether the user says where the data are.
    fn names_place(&self) -> bool {
        self.changes.get(Key::Data).is_some() || self.data_dir.is_some()
    }

    /// Records where the data of a finished run are now, if the user says so.
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

    /// Loads the data set of the run, which must be the same if anything is changed.
    fn dataset(&self, run: &Continuation) -> Result<Dataset> {
        let Continuation { config, record, snapshot, .. } = run;
        training_data::check_recorded(&config.data)?;
        let data_dir = self.data_dir.clone().or_else(|| record.data_place());
        let dataset =
            training_data::load(config, data_dir, !self.quiet)?.as_recorded(record.data_files.count);
        // Nothing is recorded of a run that cannot continue.
        if run.change.is_some() || self.names_place() {
            record.check_data(&dataset.files)?;
            let classes = snapshot.model.about.as_ref().map(|about| &about.classes);
            if classes.is_some_and(|classes| *classes != dataset.classes) {
                return Err(Error::data(format!("{} has other classes than the run", dataset.name))
                    .advise("give the folders of the classes their old names"));
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
