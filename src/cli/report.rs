//! `shadegrad report`, and the report at the end of a run.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;

use super::device_choice::DeviceFlags;
use super::model_choice::weights_of;
use super::output;
use crate::config::{Key, Setting, Value};
use crate::data::catalogue::Form;
use crate::data::hash::fingerprint;
use crate::data::load::load;
use crate::data::locate::Search;
use crate::data::pictures::Wanted;
use crate::data::{Dataset, ImageShape, Split};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::report::{self, Examination, Findings, Record, Report};
use crate::run::model_file::About;
use crate::run::{SavedModel, checkpoint};
use crate::train::{Views, evaluate};

const EXAMPLES: &str = "Examples:
  shadegrad report runs/NAME                     # writes runs/NAME/report.html
  shadegrad report runs/NAME --data ~/flowers    # the pictures were moved there
  shadegrad report runs/NAME --data-dir ~/data   # known data sets are there";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::HELP_TEMPLATE)]
pub(super) struct ReportArguments {
    /// A run's folder
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// Where the run's data are now, if they were moved: a folder or a known data set
    #[arg(long, value_name = "NAME|DIR", value_hint = ValueHint::DirPath)]
    data: Option<String>,

    /// Look for known data sets here only
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceFlags,

    /// Print a JSON object instead of a line
    #[arg(long)]
    json: bool,
}

/// What a model is examined with.
pub(super) struct Exam<'a> {
    pub(super) test: Split,
    pub(super) shape: ImageShape,
    pub(super) device: &'a dyn Device,
}

/// A report on the disk.
#[derive(Serialize)]
pub(super) struct Written {
    report: PathBuf,
    /// What it shows.
    #[serde(skip)]
    pub(super) body: String,
    /// Why there is nothing about the test images, if so.
    missing: Option<String>,
}

pub(super) fn run(arguments: &ReportArguments) -> Result<()> {
    let record = Record::read(&arguments.run)?;
    let written = match dataset(&record, arguments) {
        Ok(dataset) => {
            let device = arguments.device.open()?;
            write(&arguments.run, Ok(Exam { test: dataset.test, shape: dataset.shape, device: &*device }))?
        }
        Err(error) => write(&arguments.run, Err(format!("the data set cannot be read: {error}")))?,
    };
    if let Some(missing) = &written.missing {
        output::print_note(&format!("note: without classes and mistakes: {missing}\n"));
    }
    if arguments.json {
        output::print_json("report", &written)
    } else {
        output::print(&format!("{}\n", written.report.display()))
    }
}

/// Writes the report of `run`, with what its best model does in `exam`, or with why there is none.
pub(super) fn write(run: &Path, exam: Result<Exam<'_>, String>) -> Result<Written> {
    let record = Record::read(run)?;
    let weights = weights_of(run);
    let model = weights.as_ref().ok().map(|path| model_at(path)).transpose()?;
    let measure = |exam: Exam<'_>| {
        let model = model.as_ref().ok_or("the run has no checkpoint yet")?;
        let Exam { test, shape, device } = exam;
        let evaluation =
            evaluate(model, test.clone(), shape, Views::One, device).map_err(|error| error.to_string())?;
        Ok((evaluation, test, shape))
    };
    let measured = exam.and_then(measure);
    let findings = match &measured {
        Ok((evaluation, split, shape)) => Findings::Made(Examination {
            checkpoint: name(run, weights.as_deref().unwrap_or(run)),
            evaluation,
            split,
            shape: *shape,
        }),
        Err(why) => Findings::Missing(why.clone()),
    };
    let body = Report { record: &record, model: model.as_ref(), findings }.to_body()?;
    Ok(Written { report: report::write(run, &record.name, &body)?, body, missing: measured.err() })
}

/// The model whose weights are at `weights`, in a checkpoint that is as it was saved.
fn model_at(weights: &Path) -> Result<SavedModel> {
    Ok(checkpoint::load(weights.parent().unwrap_or(weights))?.model)
}

/// A checkpoint's folder, relative to the run's.
fn name(run: &Path, weights: &Path) -> String {
    let folder = weights.parent().unwrap_or(weights);
    folder.strip_prefix(run).unwrap_or(folder).display().to_string()
}

/// The data set of the run, if it is still there, or where the user says, and the same.
fn dataset(record: &Record, arguments: &ReportArguments) -> Result<Dataset> {
    let recorded = match record.settings.get(Key::Data) {
        Some(Setting { value: Value::Text(name), .. }) => Some(name),
        _ => None,
    };
    let Some(name) = arguments.data.as_ref().or(recorded) else {
        return Err(Error::data("the run's configuration names none"));
    };
    // Pictures become what they became for the model.
    let about = model_at(&weights_of(&arguments.run)?)?.about;
    let wanted = about.as_ref().map_or_else(Wanted::default, About::pictures);
    let dataset = load(name, &Search::from_environment(arguments.data_dir.clone()), &wanted)?;
    let hashes = dataset.files.iter().map(|file| Ok(fingerprint(file, Form::AsIs)?.sha256));
    let mut hashes = hashes.collect::<Result<Vec<_>>>()?;
    hashes.sort();
    let mut recorded: Vec<_> = record.facts.files_sha256.values().cloned().collect();
    recorded.sort();
    if hashes != recorded {
        return Err(Error::data(format!("the files of {name} are not those that the run was trained on")));
    }
    Ok(dataset)
}
