//! `shadegrad train`.

use clap::Args;

use super::course::{self, Course};
use super::device_choice::{DeviceFlags, Opening, Selftest};
use super::output;
use super::resume::Rest;
use super::run_folder::RunFolder;
use super::setting_flags::SettingFlags;
use super::signals::stop_on_signals;
use super::training_data;
use super::watchers::WatchFlags;
use crate::config::{Key, Origin, Resolved};
use crate::data::Dataset;
use crate::error::Result;
use crate::run::{EventFile, RunDirectory};
use crate::train::{Observer, Trainer};

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
#[command(before_help = EXAMPLES, help_template = super::HELP_TEMPLATE)]
pub(super) struct TrainArguments {
    #[command(flatten)]
    settings: SettingFlags,

    #[command(flatten)]
    watch: WatchFlags,
}

pub(super) fn run(arguments: &TrainArguments) -> Result<()> {
    // Cheap mistakes first: nothing below is tried before all arguments make sense.
    let resolved = arguments.settings.resolve_with_data()?;
    let folder = RunFolder::plan(resolved.out(), name(&resolved))?;
    let mut watchers = arguments.watch.call()?;
    let load = |resolved: &Resolved| {
        training_data::load(&resolved.config, resolved.data_dir(), !arguments.watch.is_quiet())
    };
    let dataset = load(&resolved)?;
    let set = training_data::training_set(&resolved.config, &dataset);
    let resolved = resolved.settle(&set);
    if !arguments.watch.is_quiet() {
        output::print_description(&dataset);
        training_data::print_choice(&resolved, &set);
        note_batch_size(&resolved, &dataset);
    }
    output::print_warnings(&dataset);
    Trainer::layers(&resolved.config, &dataset)?;
    let open = |selftest| {
        Opening { tune: resolved.tune(), profile: watchers.profile(), selftest }.open(resolved.device())
    };
    let device = open(Selftest::Tell)?;
    let (test, shape) = (dataset.test.clone(), dataset.shape);
    let mut warnings = dataset.warnings.clone();
    if let Some(note) = course::precision_note(&resolved.config, &*device) {
        output::print_note(&format!("note: {note}\n"));
        warnings.push(note);
    }
    let (device, trainer) = match Trainer::new(&resolved.config, dataset, &*device) {
        // Nothing has been trained yet that could be gone on with.
        Err(loss) if course::is_loss(&loss, &*device) => {
            output::print_note(&format!("note: {loss}; opening it again\n"));
            drop(device);
            let device = open(Selftest::Heed)?;
            let trainer = Trainer::new(&resolved.config, load(&resolved)?, &*device)?;
            (device, trainer)
        }
        other => (device, other?),
    };
    let stop = stop_on_signals()?;
    // Only a run that can start leaves a folder behind.
    let run = folder.create()?;
    let directory = RunDirectory::create(&run, resolved.config.to_toml())?;
    let mut directory = directory.with_data_dir(resolved.data_dir());
    directory.log_warnings(&warnings)?;
    let mut events = EventFile::create(&run);
    let mut observers: Vec<&mut dyn Observer> = vec![&mut directory, &mut events];
    observers.extend(watchers.observers());

    let trained = trainer.train(&run, &mut observers, &stop);
    // Closes the run's files: whoever goes on with it opens them again.
    drop(observers);
    drop((directory, events));
    let quiet = arguments.watch.is_quiet();
    let rest = Rest { run: &run, device: DeviceFlags::recorded(resolved.tune()), data_dir: None, quiet };
    course::end(&run, watchers, Course { trained, device, test, shape }, |watchers, loss| {
        rest.train(watchers, &stop, Some(loss))
    })
}

/// Says so where more images a step were asked for than there are; what a preset or a file says is for any
/// data set.
fn note_batch_size(resolved: &Resolved, dataset: &Dataset) {
    let (count, size) = (dataset.train.len(), resolved.config.batch_size);
    let is_flag = resolved.settings.get(Key::BatchSize).is_some_and(|setting| setting.origin == Origin::Flag);
    if is_flag && size > count {
        let name = &dataset.name;
        output::print_note(&format!(
            "note: --batch-size {size}: a step takes all {count} training images of {name}\n"
        ));
    }
}

/// What the run's folder is called after: the preset, or the data where they are others than the preset's.
fn name(resolved: &Resolved) -> &str {
    let is_of_preset = |key| {
        let setting = resolved.settings.get(key);
        setting.is_some_and(|setting| matches!(setting.origin, Origin::Preset(_)))
    };
    if is_of_preset(Key::Data) { &resolved.config.preset } else { &resolved.config.data }
}
