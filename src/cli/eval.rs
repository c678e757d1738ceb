//! `shadegrad eval`: how good a trained model is.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::device_choice::DeviceFlags;
use super::evaluation_report::{self, Subject};
use super::model_choice::ModelArguments;
use super::split_choice::WhichSplit;
use crate::data::locate::Search;
use crate::error::Result;
use crate::train::{Views, evaluate};

const EXAMPLES: &str = "Examples:
  shadegrad eval runs/NAME --data fashion-mnist
  shadegrad eval runs/NAME/checkpoints/00009380 --data mnist --split train
  shadegrad eval runs/NAME --data cifar10 --tta mirror-shifts
  shadegrad eval w.safetensors --model linear:100,relu --data cifar10 --json";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::HELP_TEMPLATE)]
pub(super) struct EvalArguments {
    #[command(flatten)]
    model: ModelArguments,

    /// A known data set or a folder
    #[arg(long, value_name = "NAME|DIR")]
    data: String,

    /// Look for known data sets here only
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Which images to measure with
    #[arg(long, value_enum, default_value = "test")]
    split: WhichSplit,

    /// Average the answers to several views of each image: test-time augmentation
    #[arg(long, value_enum, default_value = "none")]
    tta: TtaName,

    #[command(flatten)]
    device: DeviceFlags,

    /// Print a JSON object instead of tables
    #[arg(long)]
    json: bool,
}

/// [`Views`] as users know them.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TtaName {
    /// The image as it is
    None,
    /// And its mirror image
    Mirror,
    /// And both shifted by a pixel along the diagonal: six views
    MirrorShifts,
}

impl From<TtaName> for Views {
    fn from(name: TtaName) -> Views {
        match name {
            TtaName::None => Views::One,
            TtaName::Mirror => Views::Mirror,
            TtaName::MirrorShifts => Views::MirrorShifts,
        }
    }
}

pub(super) fn run(arguments: &EvalArguments) -> Result<()> {
    let (path, mut model) = arguments.model.read()?;
    let search = Search::from_environment(arguments.data_dir.clone());
    let mut dataset = arguments.model.load(&mut model, &arguments.data, &search)?;
    let device = arguments.device.open()?;
    let (name, split) = arguments.split.of(&mut dataset)?;
    let evaluation = evaluate(&model, split, dataset.shape, arguments.tta.into(), &*device)?;
    let subject = Subject {
        model: path.display().to_string(),
        dataset: dataset.name,
        split: name,
        tta: arguments.tta,
        device: device.info(),
    };
    if arguments.json {
        evaluation_report::print_json(&subject, &evaluation)
    } else {
        evaluation_report::print_tables(&subject, &evaluation)
    }
}
