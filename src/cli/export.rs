//! `shadegrad export`: a trained model for other programs.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::model_choice::ModelArguments;
use super::output;
use crate::data::locate::Search;
use crate::error::{Error, Result};
use crate::export::{self, Format};

const EXAMPLES: &str = "Examples:
  shadegrad export runs/NAME --format onnx --out flowers.onnx
  shadegrad export runs/NAME --format safetensors --out flowers.safetensors
  shadegrad export w.safetensors --data mnist --format onnx --out w.onnx \\
    --model linear:100,relu

An ONNX file takes `input`, normalised f32 [batch, channels, height, width], and gives `logits`. Its \
metadata has mean, std and classes. A safetensors file has PyTorch's names and layouts: \
torch.nn.Sequential takes it with load_state_dict.";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    model: ModelArguments,

    /// What to write
    #[arg(long, value_enum)]
    format: FormatName,

    /// The file to write; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// The data that the model is for, where the file does not say
    #[arg(long, value_name = "NAME|DIR")]
    data: Option<String>,

    /// Look for known data sets here only
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Print a JSON object instead of a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    Safetensors,
    Onnx,
}

pub(super) fn run(arguments: &ExportArguments) -> Result<()> {
    let (path, mut model) = arguments.model.read()?;
    if let (None, Some(data)) = (&model.about, &arguments.data) {
        arguments.model.load(&mut model, data, &Search::from_environment(arguments.data_dir.clone()))?;
    }
    let out = &arguments.out;
    if is_same(&path, out) {
        return Err(
            Error::usage(format!("--out {}: is the model itself", out.display())).advise("name another file")
        );
    }
    let (format, name) = match arguments.format {
        FormatName::Safetensors => (Format::Safetensors, "safetensors"),
        FormatName::Onnx => (Format::Onnx, "onnx"),
    };
    export::write(&model, format, out)?;
    let layers = &model.about()?.model;
    if arguments.json {
        let object = json!({ "format": name, "file": out, "model": layers });
        return output::print_json("export", &object);
    }
    output::print(&format!("{}: {layers}\n", out.display()))
}

/// Whether both paths lead to one file. What cannot be found out is left to the writing.
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
