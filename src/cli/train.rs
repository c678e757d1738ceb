//! `shadegrad train`: trains a model.

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
  shadegrad train cifar10-mlp --epochs 40      # override a value of a preset
  shadegrad train --data ./flowers             # images, one folder per class
  shadegrad train --config mine.toml           # values from a file
  shadegrad train --json | jq .test_accuracy   # one line of JSON per epoch
  shadegrad train --dashboard                  # watch it in a browser

Flags override the environment (SHADEGRAD_DATA, SHADEGRAD_DEVICE), which overrides --config, which \
overrides the preset. `shadegrad config show` takes the same arguments and shows each value's origin.";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct TrainArguments {
    #[command(flatten)]
    settings: SettingFlags,

    #[command(flatten)]
    output: OutputFlags,
}

pub(super) fn run(arguments: &TrainArguments) -> Result<()> {
    // All arguments are checked before anything slow begins.
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
        output::print_note(&format!("note: {lost}; reopening the device\n"));
        let device = Options { on_notice: print_major, ..options.clone() }.open(&choice)?;
        Ok((load(&resolved)?, device))
    })?;
    let stop = stop_on_signals()?;
    // The folder is created only once the run can start.
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

/// Returns the configuration to record: with absolute paths, and with the weights file of the run
/// that it starts from, so that later changes of that run do not matter.
fn recorded(config: Config) -> Result<Config> {
    let init = match config.init {
        Init::File(path) => Init::File(weights_of(&path)?),
        rule @ Init::Rule(_) => rule,
    };
    Ok(Config { init, ..config }.with_absolute_paths())
}

/// Prints a note if the flag `--batch-size` exceeds the number of training images. Values of
/// presets and files are meant for any data set.
fn note_batch_size(resolved: &Resolved, dataset: &Dataset) {
    let (count, size) = (dataset.train.len(), resolved.config.batch_size);
    let setting = resolved.settings.get(Key::BatchSize);
    let is_flag = setting.is_some_and(|setting| matches!(setting.origin, Origin::Argument(_)));
    if is_flag && size > count {
        let name = &dataset.name;
        output::print_note(&format!(
            "note: --batch-size {size}: each step uses all {count} training images of {name}\n"
        ));
    }
}

/// Prints a note if the run is not validated on the validation images of the data set.
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

/// Returns the name in the run's folder name: the preset, or the data if they are not the
/// preset's.
fn name(resolved: &Resolved) -> &str {
    let is_of_preset = |key| {
        let setting = resolved.settings.get(key);
        setting.is_some_and(|setting| matches!(setting.origin, Origin::Preset(_)))
    };
    if is_of_preset(Key::Data) { &resolved.config.preset } else { &resolved.config.data }
}
