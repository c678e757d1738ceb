//! `shadegrad eval`: how good a trained model is.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::device_choice::{Chosen, DeviceFlags};
use super::evaluation_report::{self, Subject};
use super::model_choice::weights_of;
use super::output;
use crate::config::Normalize;
use crate::data::Dataset;
use crate::data::load::load;
use crate::data::locate::Search;
use crate::error::Result;
use crate::run::SavedModel;
use crate::run::model_file::About;
use crate::train::{Normalisation, evaluate};

const EXAMPLES: &str = "Examples:
  shadegrad eval runs/NAME --data fashion-mnist
  shadegrad eval runs/NAME/checkpoints/009380 --data fashion-mnist --split train
  shadegrad eval weights.safetensors --model linear:100,relu --data cifar10 --json";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::HELP_TEMPLATE)]
pub(super) struct EvalArguments {
    /// A run's folder (its best checkpoint), a checkpoint's folder or a .safetensors file
    #[arg(value_name = "MODEL")]
    model_path: PathBuf,

    /// A known data set or a folder
    #[arg(long, value_name = "NAME|DIR")]
    data: String,

    /// Look for known data sets here only
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Which images to measure with
    #[arg(long, value_enum, default_value = "test")]
    split: WhichSplit,

    /// The layers, where the file does not say
    #[arg(long, value_name = "SPEC")]
    model: Option<String>,

    /// How pixels are scaled, where the file does not say
    #[arg(long, value_enum, default_value = "unit")]
    normalize: NormalizeName,

    #[command(flatten)]
    device: DeviceFlags,

    /// Print a JSON object instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhichSplit {
    Test,
    Train,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NormalizeName {
    Unit,
    Standard,
}

pub(super) fn run(arguments: &EvalArguments) -> Result<()> {
    let path = weights_of(&arguments.model_path)?;
    let mut model = SavedModel::read(&path)?;
    let dataset = load(&arguments.data, &Search::from_environment(arguments.data_dir.clone()))?;
    if model.about.is_none() {
        model.about = arguments.model.as_deref().map(|spec| about(spec, arguments.normalize, &dataset));
    }
    let Chosen { device, note } = arguments.device.open()?;
    if let Some(note) = note {
        output::print_note(&format!("note: {note}\n"));
    }
    let (name, split) = match arguments.split {
        WhichSplit::Test => ("test", dataset.test),
        WhichSplit::Train => ("train", dataset.train),
    };
    let evaluation = evaluate(&model, split, dataset.shape, &*device)?;
    let subject = Subject {
        model: path.display().to_string(),
        dataset: dataset.name,
        split: name,
        device: device.info(),
    };
    if arguments.json {
        evaluation_report::print_json(&subject, &evaluation)
    } else {
        evaluation_report::print_tables(&subject, &evaluation)
    }
}

/// What another program's file does not say, from the arguments and the data.
fn about(spec: &str, normalize: NormalizeName, dataset: &Dataset) -> About {
    let rule = match normalize {
        NormalizeName::Unit => Normalize::Unit,
        NormalizeName::Standard => Normalize::Standard,
    };
    let shape = dataset.shape;
    About {
        model: spec.into(),
        shape: [shape.channels, shape.height, shape.width],
        classes: dataset.classes.clone(),
        normalisation: Normalisation::of(rule, dataset),
    }
}
