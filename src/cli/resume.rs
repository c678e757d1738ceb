//! `shadegrad resume`: continues a run from its last checkpoint, or trains it further.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::continuation::{self, Continuation};
use super::course::{self, Course};
use super::device_choice::DeviceFlags;
use super::signals::stop_on_signals;
use super::watchers::{WatchFlags, Watchers};
use super::{output, training_data};
use crate::config::{Config, Key, Origin, Settings};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::run::{Change, EventFile, RunDirectory};
use crate::train::{Observer, StopFlag, Trainer};

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
#[command(before_help = EXAMPLES, help_template = super::HELP_TEMPLATE)]
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
    watch: WatchFlags,
}

impl ResumeArguments {
    /// The settings that are to be changed.
    fn changes(&self) -> Result<Settings> {
        let mut changes = Settings::default();
        for (key, text) in [(Key::Epochs, &self.epochs), (Key::Lr, &self.lr), (Key::Data, &self.data)] {
            if let Some(text) = text {
                changes.set_text(key, text, Origin::Flag)?;
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
    let ResumeArguments { run, device, data_dir, watch, .. } = arguments;
    let changes = arguments.changes()?;
    let rest =
        Rest { run, device: device.clone(), data_dir: data_dir.clone(), changes, quiet: watch.is_quiet() };
    let opened = rest.open()?;
    // Programs that read JSON get the run's last event again.
    if let Some(finished) = &opened.finished
        && !watch.is_json()
    {
        let line = format!("note: {finished}\n");
        rest.record_places(opened)?;
        if !watch.is_quiet() {
            output::print_note(&line);
        }
        return Ok(());
    }
    let mut watchers = watch.call()?;
    let stop = stop_on_signals()?;
    let course = rest.train(opened, &mut watchers, &stop, None)?;
    course::end(run, watchers, course, |watchers, loss| rest.train(rest.open()?, watchers, &stop, Some(loss)))
}

/// What is left of a run.
pub(super) struct Rest<'a> {
    pub(super) run: &'a Path,
    /// Instead of the device that the run began on.
    pub(super) device: DeviceFlags,
    /// Instead of where the run has its data from.
    pub(super) data_dir: Option<PathBuf>,
    /// What is to be changed in the run.
    pub(super) changes: Settings,
    pub(super) quiet: bool,
}

impl Rest<'_> {
    /// Opens the run at its last whole checkpoint, with the changes that are asked for.
    pub(super) fn open(&self) -> Result<Continuation> {
        continuation::open(self.run, &self.changes)
    }

    /// Whether the user says where the data are.
    fn names_place(&self) -> bool {
        self.changes.get(Key::Data).is_some() || self.data_dir.is_some()
    }

    /// Loads the data set of the run, which must be the same where anything is changed.
    fn load(&self, opened: &Continuation) -> Result<Dataset> {
        let Continuation { config, record, snapshot, .. } = opened;
        training_data::check_recorded(&config.data)?;
        let data_dir = self.data_dir.clone().or_else(|| record.data_place());
        let dataset =
            training_data::load(config, data_dir, !self.quiet)?.as_recorded(record.data_files.count);
        // Nothing is recorded of a run that cannot continue.
        if opened.change.is_some() || self.names_place() {
            record.check_data(&dataset.files)?;
            let classes = snapshot.model.about.as_ref().map(|about| &about.classes);
            if classes.is_some_and(|classes| *classes != dataset.classes) {
                return Err(Error::data(format!("{} has other classes than the run", dataset.name))
                    .advise("give the folders of the classes their old names"));
            }
        }
        Ok(dataset)
    }

    /// Records where the data of a finished run are now, if the user says so.
    fn record_places(&self, opened: Continuation) -> Result<()> {
        if !self.names_place() {
            return Ok(());
        }
        self.load(&opened)?;
        let Continuation { mut directory, config, change, .. } = opened;
        self.record(&mut directory, change.as_ref(), &config)
    }

    /// Records what is changed in the run, and its configuration from now on.
    fn record(&self, directory: &mut RunDirectory, change: Option<&Change>, config: &Config) -> Result<()> {
        if let Some(data_dir) = &self.data_dir {
            directory.move_data_dir(data_dir)?;
        }
        match change {
            Some(change) => directory.change(change, config.to_toml()),
            None => Ok(()),
        }
    }

    /// Trains it, from the last whole checkpoint on. `loss` says what ended the run in this very process.
    pub(super) fn train(
        &self,
        opened: Continuation,
        watchers: &mut Watchers,
        stop: &StopFlag,
        loss: Option<&str>,
    ) -> Result<Course> {
        let dataset = self.load(&opened)?;
        let Continuation { mut directory, snapshot, config, record, change, .. } = opened;
        match loss {
            // The same data have been described before.
            Some(loss) => directory.log_warnings(&[format!("{loss}; going on with a new device")])?,
            None => {
                output::print_warnings(&dataset);
                directory.log_warnings(&dataset.warnings)?;
            }
        }
        let device = self.device.open_again(&record.device, watchers.profile(), self.quiet)?;
        let info = device.info();
        let is_other = (&info.name, &info.backend, &info.driver)
            != (&record.device.name, &record.device.backend, &record.device.driver);
        // Any number of the CPU's threads computes the same.
        if is_other && [&info.backend, &record.device.backend] != ["cpu", "cpu"] {
            let began = &record.device;
            output::print_note(&format!(
                "note: the run began on {began}: what follows differs by rounding\n"
            ));
        }
        if let Some(note) = course::precision_note(&config, &*device) {
            output::print_note(&format!("note: {note}\n"));
            directory.log_warnings(&[note])?;
        }
        let (test, shape) = (dataset.test.clone(), dataset.shape);
        let trainer = match Trainer::resume(&config, dataset, &*device, snapshot) {
            // Lost on the way to its first step is lost like any other.
            Err(loss) if course::is_loss(&loss, &*device) => {
                return Ok(Course { trained: Err(loss), device, test, shape });
            }
            other => other?,
        };
        self.record(&mut directory, change.as_ref(), &config)?;
        if let Some(change) = change {
            output::print_note(&continuation::note(&change, &config, &trainer));
        }
        let mut events = EventFile::create(self.run);
        let mut observers: Vec<&mut dyn Observer> = vec![&mut directory, &mut events];
        observers.extend(watchers.observers());
        let trained = trainer.train(self.run, &mut observers, stop);
        Ok(Course { trained, device, test, shape })
    }
}
