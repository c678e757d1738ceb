//! `shadegrad report`, and the report at the end of a run.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;

use super::device_choice::DeviceFlags;
use super::output;
use super::recorded_data::{self, Place};
use crate::checkpoint::{About, SavedModel, weights_of};
use crate::data::pictures::Wanted;
use crate::data::{Dataset, ImageShape, Split};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::report::{self, Examination, Findings, Record, Report};
use crate::run::checkpoint;
use crate::train::{Views, evaluate};

const EXAMPLES: &str = "Examples:
  shadegrad report runs/NAME                     # writes runs/NAME/report.html
  shadegrad report runs/NAME --data ~/flowers    # the pictures were moved there
  shadegrad report runs/NAME --data-dir ~/data   # known data sets are there";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
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

    /// Overwrite a page whose confusion matrix and mistakes cannot be made again
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    device: DeviceFlags,

    /// Print a JSON object instead of a line
    #[arg(long)]
    json: bool,
}

/// What the best model of a run is evaluated with for its report.
pub(super) struct ReportInputs<'a> {
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
    /// Of the best epoch.
    #[serde(skip)]
    pub(super) test_accuracy: Option<f64>,
    /// Why there is nothing about the test images, if so.
    missing: Option<String>,
    /// Why what is there about them was found by an earlier report, if so.
    kept: Option<String>,
}

pub(super) fn run(arguments: &ReportArguments) -> Result<()> {
    let ReportArguments { run, force, .. } = arguments;
    let record = Record::read(run)?;
    let written = match dataset(&record, arguments) {
        Ok(dataset) => {
            let device = arguments.device.open()?;
            let inputs = ReportInputs { test: dataset.test, shape: dataset.shape, device: &*device };
            write(run, Ok(inputs), *force)?
        }
        // Whoever says where the data are does not want a report without them.
        Err(error) if arguments.data.is_some() || arguments.data_dir.is_some() => return Err(error),
        Err(error) => write(run, Err(format!("the data set cannot be read: {error}")), *force)?,
    };
    if let Some(why) = &written.missing {
        output::print_note(&format!("note: without confusion matrix and mistakes: {why}\n"));
    }
    if let Some(why) = &written.kept {
        let what = "confusion matrix and mistakes are those of the last report";
        output::print_note(&format!("note: {what}: {why}\n"));
    }
    if arguments.json {
        output::print_json("report", &written)
    } else {
        output::print(&format!("{}\n", written.report.display()))
    }
}

/// Writes the report of `run` with an evaluation of its best model on `inputs`. If `inputs` says
/// why there are none, the last evaluation is shown again. `force` allows a page that shows less
/// than the one that it replaces.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) where a page would lose what cannot be made again.
pub(super) fn write(run: &Path, inputs: Result<ReportInputs<'_>, String>, force: bool) -> Result<Written> {
    let record = Record::read(run)?;
    let weights = weights_of(run);
    let model = weights.as_ref().ok().map(|path| model_at(path)).transpose()?;
    let examine = |inputs: ReportInputs<'_>| {
        let model = model.as_ref().ok_or("the run has no checkpoint yet")?;
        let ReportInputs { test, shape, device } = inputs;
        let evaluation = evaluate(model, test.clone(), shape, Views::One, device)?;
        let checkpoint = name(run, weights.as_deref().unwrap_or(run));
        Ok(Examination::new(checkpoint, model, evaluation, &test, shape)?)
    };
    let examined = inputs.map_err(Unexamined).and_then(examine);
    let (findings, missing, kept) = match examined {
        Ok(examination) => {
            examination.write(run)?;
            (Findings::Made(Box::new(examination)), None, None)
        }
        Err(Unexamined(why)) => match last_examination(run, &why, force)? {
            Some(examination) => (Findings::Made(Box::new(examination)), None, Some(why)),
            None => (Findings::Missing(why.clone()), Some(why), None),
        },
    };
    let body = Report { record: &record, model: model.as_ref(), findings }.to_body()?;
    let test_accuracy = record.best().map(|best| best.test_accuracy);
    Ok(Written { report: report::write(run, &record.name, &body)?, body, test_accuracy, missing, kept })
}

/// Why a model was not examined.
struct Unexamined(String);

impl From<&str> for Unexamined {
    fn from(why: &str) -> Self {
        Unexamined(why.into())
    }
}

impl From<Error> for Unexamined {
    fn from(error: Error) -> Self {
        Unexamined(error.to_string())
    }
}

/// What was found when `run` was reported on last. `why` says why that is not found again.
fn last_examination(run: &Path, why: &str, force: bool) -> Result<Option<Examination>> {
    match Examination::read(run) {
        Ok(None) if !force && report::shows_findings(run) => {
            let shown = run.display();
            let lost = format!("the report in {shown} would lose its confusion matrix and mistakes");
            Err(Error::data(format!("{lost}: {why}"))
                .advise("name the folder that has the data, or overwrite the page with --force"))
        }
        Err(_) if force => Ok(None),
        found => found,
    }
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
    let ReportArguments { run, data, data_dir, .. } = arguments;
    // Pictures become what they became for the model.
    let about = model_at(&weights_of(run)?)?.about;
    let wanted = about.as_ref().map_or_else(Wanted::default, About::pictures);
    recorded_data::load(record, &wanted, Place { data: data.clone(), data_dir: data_dir.clone() })
}
