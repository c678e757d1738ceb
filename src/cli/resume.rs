//! `shadegrad resume`: goes on with a run from its last checkpoint.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::course::{self, Course};
use super::device_choice::DeviceFlags;
use super::output;
use super::signals::stop_on_signals;
use super::training_data;
use super::watchers::{WatchFlags, Watchers};
use crate::config::{Interval, Settings, Sources, resolve};
use crate::error::Result;
use crate::run::{EventFile, Reopened, reopen};
use crate::train::{Observer, StopFlag, Trainer};

const EXAMPLES: &str = "Examples:
  shadegrad resume runs/20260131-235959-cifar10-mlp
  shadegrad resume runs/NAME --json

The run goes on from its last whole checkpoint, on the device that it began on, and ends with the same \
weights, bit for bit, as if it had never been interrupted.";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::HELP_TEMPLATE)]
pub(super) struct ResumeArguments {
    /// The run's folder
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    run: PathBuf,

    #[command(flatten)]
    device: DeviceFlags,

    /// Look for known data sets here only
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    watch: WatchFlags,
}

pub(super) fn run(arguments: &ResumeArguments) -> Result<()> {
    let ResumeArguments { run, device, data_dir, watch } = arguments;
    let mut watchers = watch.call()?;
    let rest = Rest { run, device: device.clone(), data_dir: data_dir.clone(), quiet: watch.is_quiet() };
    let stop = stop_on_signals()?;
    let course = rest.train(&mut watchers, &stop, None)?;
    course::end(run, watchers, course, |watchers, loss| rest.train(watchers, &stop, Some(loss)))
}

/// What is left of a run.
pub(super) struct Rest<'a> {
    pub(super) run: &'a Path,
    /// Instead of the device that the run began on.
    pub(super) device: DeviceFlags,
    /// Instead of where the run has its data from.
    pub(super) data_dir: Option<PathBuf>,
    pub(super) quiet: bool,
}

impl Rest<'_> {
    /// Trains it, from the last whole checkpoint on. `loss` says what ended the run in this very process.
    pub(super) fn train(
        &self,
        watchers: &mut Watchers,
        stop: &StopFlag,
        loss: Option<&str>,
    ) -> Result<Course> {
        let Reopened { mut directory, snapshot, config, record, complaints } = reopen(self.run)?;
        for complaint in &complaints {
            output::print_note(&format!("note: {complaint}\n"));
        }
        let sources = Sources { flags: Settings::default(), environment: &|_| None, file: Some(&config) };
        let mut config = resolve(sources)?.config;
        if record.schedule_steps.is_none() && config.max_steps.is_some() {
            // The run is older than the rule that a schedule ends with the run.
            config.schedule_steps.get_or_insert(Interval::Epochs(config.epochs));
        }
        let data_dir = self.data_dir.clone().or(record.data_dir);
        let mut dataset = training_data::load(&config, data_dir, !self.quiet)?;
        if record.dataset.validation == 0 {
            // The run is older than the use of the data's own validation images.
            dataset.leave_out_validation();
        }
        match loss {
            // The same data have been described before.
            Some(loss) => directory.log_warnings(&[format!("{loss}; going on with a new device")])?,
            None => {
                output::print_warnings(&dataset);
                directory.log_warnings(&dataset.warnings)?;
            }
        }
        let device = self.device.open_again(&record.device, watchers.profile())?;
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
        let mut events = EventFile::create(self.run);
        let mut observers: Vec<&mut dyn Observer> = vec![&mut directory, &mut events];
        observers.extend(watchers.observers());
        let trained = trainer.train(self.run, &mut observers, stop);
        Ok(Course { trained, device, test, shape })
    }
}
