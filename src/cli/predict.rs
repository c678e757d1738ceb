//! `shadegrad predict`: classifies images with a trained model.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::device_choice::DeviceFlags;
use super::model_choice::ModelArguments;
use super::prediction_report::{self, Prediction};
use super::split_choice::WhichSplit;
use super::{output, values};
use crate::checkpoint::SavedModel;
use crate::data::pictures::{self, Resize};
use crate::data::{ImageShape, Search, Split};
use crate::error::{Error, Result};
use crate::export::npy;
use crate::train::logits;

const EXAMPLES: &str = "Examples:
  shadegrad predict runs/NAME photo.jpg drawing.png
  shadegrad predict runs/NAME *.jpg --top 1 --json | jq .class
  shadegrad predict runs/NAME --data fashion-mnist --logits logits.npy";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct PredictArguments {
    #[command(flatten)]
    model: ModelArguments,

    /// PNG or JPEG files
    #[arg(value_name = "IMAGE", required_unless_present = "data")]
    images: Vec<PathBuf>,

    /// Data set or folder to classify; with IMAGE, the source of class names if MODEL has none
    #[arg(long, value_name = "NAME|DIR")]
    data: Option<String>,

    /// Folder of known data sets, instead of the usual places
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Split of the data set
    #[arg(long, value_enum, default_value = "test", requires = "data")]
    split: WhichSplit,

    /// How to bring images to the size of the model's input [default: as in training]
    #[arg(long, value_parser = values::choice(Resize::ALL, Resize::name))]
    resize: Option<Resize>,

    /// Print the N most probable classes of each image
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = values::count, allow_negative_numbers = true, conflicts_with = "logits")]
    top: usize,

    /// Write all logits to this .npy file, f32 [images, classes], instead of printing classes
    #[arg(long, value_name = "FILE.npy")]
    logits: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceFlags,

    /// Print one line of JSON per image instead of a table
    #[arg(long)]
    json: bool,
}

/// Images to classify, each with a name.
struct Subjects {
    names: Vec<String>,
    split: Split,
    shape: ImageShape,
    /// Messages about images that could not be read.
    faults: Vec<Error>,
}

pub(super) fn run(arguments: &PredictArguments) -> Result<()> {
    let (_, mut model) = arguments.model.read()?;
    let Subjects { names, split, shape, faults } = subjects(arguments, &mut model)?;
    for fault in &faults {
        output::print_note(&format!("warning: skipped: {fault}\n"));
    }
    // Each row of logits belongs to the image at that position, so none may be missing.
    let is_answered = !names.is_empty() && (arguments.logits.is_none() || faults.is_empty());
    if is_answered {
        let device = arguments.device.open()?;
        let logits = logits(&model, split, shape, &*device)?;
        answer(arguments, &names, &logits, &model.about()?.classes)?;
    }
    match faults.len() {
        0 => Ok(()),
        bad => Err(Error::data(format!("{bad} of {} images cannot be used", bad + names.len()))
            .advise("they are listed above; see `shadegrad predict --help` for --resize")),
    }
}

fn subjects(arguments: &PredictArguments, model: &mut SavedModel) -> Result<Subjects> {
    let dataset = match &arguments.data {
        Some(_) if !arguments.images.is_empty() && model.about.is_some() => {
            return Err(Error::usage(
                "--data cannot be used with IMAGE, because the model file has the class names",
            )
            .advise("give either images or --data"));
        }
        Some(data) => {
            let search = Search::from_environment(arguments.data_dir.clone());
            Some(arguments.model.load(model, data, &search)?)
        }
        None => None,
    };
    match dataset {
        Some(mut dataset) if arguments.images.is_empty() => {
            let (_, split) = arguments.split.of(&mut dataset)?;
            let names = (0..split.len()).map(|index| index.to_string()).collect();
            Ok(Subjects { names, split, shape: dataset.shape, faults: Vec::new() })
        }
        _ => read(arguments, model),
    }
}

/// Reads the images, and collects messages about those that cannot be read.
fn read(arguments: &PredictArguments, model: &SavedModel) -> Result<Subjects> {
    let about = model.about()?;
    let [channels, height, width] = about.shape;
    let shape = ImageShape { channels, height, width };
    let resize = arguments.resize.unwrap_or(about.resize);
    let mut subjects = Subjects { names: Vec::new(), split: Split::default(), shape, faults: Vec::new() };
    for (path, pixels) in arguments.images.iter().zip(pictures::read(&arguments.images, shape, resize)) {
        match pixels {
            Ok(pixels) => {
                subjects.names.push(path.display().to_string());
                subjects.split.images.extend(pixels);
                subjects.split.labels.push(0);
            }
            Err(error) => subjects.faults.push(error),
        }
    }
    Ok(subjects)
}

fn answer(arguments: &PredictArguments, names: &[String], logits: &[f32], classes: &[String]) -> Result<()> {
    if let Some(file) = &arguments.logits {
        npy::write(file, logits, classes.len())?;
        let (images, count) = (names.len(), classes.len());
        if arguments.json {
            let object = json!({ "file": file, "images": images, "classes": count });
            return output::print_json("logits", &object);
        }
        return output::print(&format!("{}: f32 [{images}, {count}]\n", file.display()));
    }
    let rows = names.iter().zip(logits.chunks_exact(classes.len()));
    let predictions: Vec<_> =
        rows.map(|(name, logits)| Prediction::new(name, logits, classes, arguments.top)).collect();
    if arguments.json {
        prediction_report::print_json(&predictions)
    } else {
        prediction_report::print_table(&predictions)
    }
}
