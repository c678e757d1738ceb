//! `shadegrad export`: exports a trained model to other programs.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::model_choice::ModelArguments;
use super::{output, values};
use crate::data::locate::Search;
use crate::error::{Error, Result};
use crate::export::{self, Format};

const EXAMPLES: &str = "Examples:
  shadegrad export runs/NAME --format onnx --out flowers.onnx
  shadegrad export runs/NAME --format safetensors --out flowers.safetensors
  shadegrad export w.safetensors --data mnist --format onnx --out w.onnx \\
    --model linear:100,relu

An ONNX file takes `input`, normalised f32 [batch, channels, height, width], and returns `logits`. Its \
metadata has mean, std and classes. A safetensors file has PyTorch's names and layouts: \
load it into a torch.nn.Sequential with load_state_dict.";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    model: ModelArguments,

    /// Format of the file
    #[arg(long, value_parser = values::choice(Format::ALL, Format::name))]
    format: Format,

    /// File to write; an existing file is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Data set of the model, if the file does not record its classes and image size
    #[arg(long, value_name = "NAME|DIR")]
    data: Option<String>,

    /// Folder of known data sets, instead of the usual places
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Print a JSON object instead of a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &ExportArguments) -> Result<()> {
    let (path, mut model) = arguments.model.read()?;
    if let (None, Some(data)) = (&model.about, &arguments.data) {
        arguments.model.load(&mut model, data, &Search::from_environment(arguments.data_dir.clone()))?;
    }
    let out = &arguments.out;
    if is_same(&path, out) {
        return Err(Error::usage(format!("--out {}: this is the model file itself", out.display()))
            .advise("choose another file"));
    }
    export::write(&model, arguments.format, out)?;
    let layers = &model.about()?.model;
    if arguments.json {
        let object = json!({ "format": arguments.format.name(), "file": out, "model": layers });
        return output::print_json("export", &object);
    }
    output::print(&format!("{}: {layers}\n", out.display()))
}

/// Whether both paths lead to the same file. If that is unknown, writing reports the error.
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
