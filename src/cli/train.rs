//! `shadegrad train`.

use clap::Args;

use super::device_choice::{DeviceFlags, print_major, run_options};
use super::observers::OutputFlags;
use super::resume::ResumeRun;
use super::run_folder::RunFolder;
use super::setting_flags::SettingFlags;
use super::signals::stop_on_signals;
use super::{output, training_data};
use crate::checkpoint::weights_of;
use crate::config::{Config, Init, Key, Origin, Resolved, Settings, Validation};
use crate::data::Dataset;
use crate::device::{Choice, Options};
use crate::error::Result;
use crate::run::{PreparedRun, RunDirectory, RunNotice, Supervisor};
use crate::train::Sizes;

const EXAMPLES: &str = "Examples:
  shadegrad train                              # Fashion-MNIST, best device
  shadegrad train cifar10-mlp --epochs 40      # a preset with another value
  shadegrad train --data ./flowers             # pictures, in a folder per class
  shadegrad train --config mine.toml           # values from a file
  shadegrad train --json | jq .test_accuracy   # a line of JSON an epoch
  shadegrad train --dashboard                  # watch it in a browser

What is on the command line goes before the environment (SHADEGRAD_DATA, SHADEGRAD_DEVICE), that \
before --config, that before the preset. `shadegrad config show` takes the same arguments and tells.";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct TrainArguments {
    #[command(flatten)]
    settings: SettingFlags,

    #[command(flatten)]
    output: OutputFlags,
}

pub(super) fn run(arguments: &TrainArguments) -> Result<()> {
    // Cheap mistakes first: nothing below is tried before all arguments make sense.
    let resolved = arguments.settings.resolve_with_data()?;
    let folder = RunFolder::plan(resolved.out(), name(&resolved))?;
    let mut observers = arguments.output.open()?;
    let load = |resolved: &Resolved| {
        training_data::load(&resolved.config, resolved.data_dir(), !arguments.output.is_quiet())
    };
    let dataset = load(&resolved)?;
    let set = training_data::training_set(&resolved.config, &dataset);
    let settled = resolved.settle(&set);
    let resolved = Resolved { config: recorded(settled.config)?, settings: settled.settings };
    if !arguments.output.is_quiet() {
        output::print_description(&dataset);
        training_data::print_choice(&resolved, &set);
        note_batch_size(&resolved, &dataset);
        note_validation(&resolved, &dataset);
    }
    output::print_warnings(&dataset);
    let sizes = Sizes::of(&resolved.config, &dataset);
    resolved.check_run(sizes.train, sizes.validation.is_some())?;
    sizes.model(&resolved.config)?;
    let options = run_options(resolved.tune(), observers.profile(), arguments.output.is_quiet());
    let choice = Choice::from(resolved.device());
    let device = options.open(&choice)?;
    let mut warnings = dataset.warnings.clone();
    if let Some(notice) = RunNotice::about_precision(&resolved.config, &*device) {
        output::print_note(&format!("note: {notice}\n"));
        warnings.push(notice.to_string());
    }
    let prepared = PreparedRun::new(&resolved.config, dataset, device, |lost| {
        output::print_note(&format!("note: {lost}; opening it again\n"));
        let device = Options { on_notice: print_major, ..options.clone() }.open(&choice)?;
        Ok((load(&resolved)?, device))
    })?;
    let stop = stop_on_signals()?;
    // Only a run that can start leaves a folder behind.
    let run = folder.create()?;
    let directory = RunDirectory::create(&run, resolved.config.to_toml())?;
    let directory = directory.with_data_dir(resolved.data_dir());
    directory.log_warnings(&warnings)?;
    let source = ResumeRun {
        run: &run,
        device: DeviceFlags::recorded(resolved.tune()),
        data_dir: None,
        changes: Settings::default(),
        profile: observers.profile(),
        quiet: arguments.output.is_quiet(),
    };
    let supervisor = Supervisor { folder: &run, source: &source, stop: &stop };
    let ended = supervisor.train(prepared, directory, &mut observers.all());
    observers.finish(&run, ended)
}

/// The configuration as the run records it: its paths are those of every current folder, and what a
/// run that it starts from may become later counts for nothing.
fn recorded(config: Config) -> Result<Config> {
    let init = match config.init {
        Init::File(path) => Init::File(weights_of(&path)?),
        rule @ Init::Rule(_) => rule,
    };
    Ok(Config { init, ..config }.with_absolute_paths())
}

/// Says so where more images a step were asked for than there are; what a preset or a file says is
/// for any data set.
fn note_batch_size(resolved: &Resolved, dataset: &Dataset) {
    let (count, size) = (dataset.train.len(), resolved.config.batch_size);
    let setting = resolved.settings.get(Key::BatchSize);
    let is_flag = setting.is_some_and(|setting| matches!(setting.origin, Origin::Argument(_)));
    if is_flag && size > count {
        let name = &dataset.name;
        output::print_note(&format!(
            "note: --batch-size {size}: a step takes all {count} training images of {name}\n"
        ));
    }
}

/// Says so where the run is validated on other images than the data has for that.
fn note_validation(resolved: &Resolved, dataset: &Dataset) {
    let setting = resolved.settings.get(Key::Validation);
    if let (Some(split), Some(setting)) = (&dataset.validation, setting)
        && resolved.config.validation != Validation::None
    {
        let (described, count) = (setting.describe(Key::Validation), split.len());
        output::print_note(&format!(
            "note: {described}: the {count} validation images of {} are not used\n",
            dataset.name
        ));
    }
}

/// What the run's folder is called after: the preset, or the data where they are others than the
/// preset's.
fn name(resolved: &Resolved) -> &str {
    let is_of_preset = |key| {
        let setting = resolved.settings.get(key);
        setting.is_some_and(|setting| matches!(setting.origin, Origin::Preset(_)))
    };
    if is_of_preset(Key::Data) { &resolved.config.preset } else { &resolved.config.data }
}
