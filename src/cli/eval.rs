//! `shadegrad eval`: evaluates a trained model.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::device_choice::DeviceFlags;
use super::evaluation_report::{self, Subject};
use super::model_choice::ModelArguments;
use super::split_choice::WhichSplit;
use super::tta::TtaName;
use super::{output, training_data};
use crate::data::locate::Search;
use crate::error::{Error, Result};
use crate::run::DataSource;
use crate::train::evaluate;

const EXAMPLES: &str = "Examples:
  shadegrad eval runs/NAME                        # on the data of the run
  shadegrad eval runs/NAME --split train --tta mirror-shifts
  shadegrad eval runs/NAME/checkpoints/00009380 --data other-pictures
  shadegrad eval w.safetensors --model linear:100,relu --data cifar10 --json";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct EvalArguments {
    #[command(flatten)]
    model: ModelArguments,

    /// A known data set or a folder of images [default: the data of the run]
    #[arg(long, value_name = "NAME|DIR", value_hint = ValueHint::DirPath)]
    data: Option<String>,

    /// Folder of known data sets, instead of the usual places
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Split to evaluate on
    #[arg(long, value_enum, default_value = "test")]
    split: WhichSplit,

    /// Test-time augmentation: average the predictions for several views of each image
    #[arg(long, value_enum, default_value = "none")]
    tta: TtaName,

    #[command(flatten)]
    device: DeviceFlags,

    /// Print a JSON object instead of tables
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &EvalArguments) -> Result<()> {
    let chosen = arguments.data_source()?;
    let (path, mut model) = arguments.model.read()?;
    let search = Search::from_environment(arguments.data_dir.clone().or(chosen.data_dir));
    let mut dataset = arguments.model.load(&mut model, &chosen.data, &search)?;
    if let Some(record) = chosen.record {
        dataset = dataset.as_recorded(record.data_files.count);
        if let Some(changed) = record.data_files.check(&dataset.files).err() {
            output::print_note(&format!("note: {changed}: the results may differ from the run's\n"));
        }
    }
    if let Some((share, seed)) = chosen.held_out {
        dataset.validation = Some(dataset.hold_out(share, seed)?);
    }
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

impl EvalArguments {
    /// Returns the data that the user names, or else the data that the model was trained on.
    fn data_source(&self) -> Result<DataSource> {
        if let Some(data) = &self.data {
            return Ok(DataSource { data: data.clone(), data_dir: None, record: None, held_out: None });
        }
        let folder = self.model.folder().ok_or_else(|| {
            Error::usage("missing argument: --data <NAME|DIR>").advise(
                "a model file does not record its training data; name a data set or a folder of images",
            )
        })?;
        let source = DataSource::of(folder)?;
        training_data::check_recorded(&source.data)?;
        Ok(source)
    }
}
