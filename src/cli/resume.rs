//! `shadegrad resume`: goes on with a run from its last checkpoint.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::device_choice::DeviceFlags;
use super::output;
use super::report::Exam;
use super::signals::stop_on_signals;
use super::watchers::WatchFlags;
use crate::config::{Settings, Sources, resolve};
use crate::data::fetch::{FetchOptions, load_or_fetch};
use crate::data::locate::Search;
use crate::data::pictures::Wanted;
use crate::error::Result;
use crate::run::{EventFile, Reopened, reopen};
use crate::train::{Observer, Trainer};

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
    let mut watchers = arguments.watch.call()?;
    let Reopened { mut directory, snapshot, config, record, complaints } = reopen(&arguments.run)?;
    for complaint in &complaints {
        output::print_note(&format!("note: {complaint}\n"));
    }
    let sources = Sources { flags: Settings::default(), environment: &|_| None, file: Some(&config) };
    let config = resolve(sources)?.config;
    let search = Search::from_environment(arguments.data_dir.clone().or(record.data_dir));
    let wanted = Wanted { progress: !arguments.watch.is_quiet(), ..config.pictures() };
    let dataset = load_or_fetch(&config.data, &search, &wanted, &FetchOptions::default())?;
    output::print_warnings(&dataset);
    directory.log_warnings(&dataset.warnings)?;
    let device = arguments.device.open_again(&record.device, watchers.profile())?;
    let info = device.info();
    let is_other = (&info.name, &info.backend, &info.driver)
        != (&record.device.name, &record.device.backend, &record.device.driver);
    // Any number of the CPU's threads computes the same.
    let changes = (is_other && [&info.backend, &record.device.backend] != ["cpu", "cpu"])
        .then(|| format!("the run began on {}: what follows differs by rounding", record.device));
    if let Some(note) = changes {
        output::print_note(&format!("note: {note}\n"));
    }
    // The report looks at the test images after the trainer is gone.
    let (test, shape) = (dataset.test.clone(), dataset.shape);
    let trainer = Trainer::resume(&config, dataset, &*device, snapshot)?;
    let stop = stop_on_signals()?;
    let mut events = EventFile::create(&arguments.run);
    let mut observers: Vec<&mut dyn Observer> = vec![&mut directory, &mut events];
    observers.extend(watchers.observers());
    let trained = trainer.train(&arguments.run, &mut observers, &stop);
    watchers.conclude(&arguments.run, trained, Exam { test, shape, device: &*device })
}
