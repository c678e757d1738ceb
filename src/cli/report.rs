//! `shadegrad report`: writes the HTML report of a run, also at the end of training.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde::Serialize;

use super::device_choice::DeviceFlags;
use super::output;
use crate::checkpoint::{About, SavedModel, weights_of};
use crate::config::Key;
use crate::data::pictures::Wanted;
use crate::data::{Dataset, ImageShape, Split};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::report::{self, Examination, Facts, Findings, Record, Report};
use crate::run::checkpoint;
use crate::train::{Views, evaluate};

const EXAMPLES: &str = "Examples:
  shadegrad report runs/NAME                     # writes runs/NAME/report.html
  shadegrad report runs/NAME --data ~/flowers    # the images were moved there
  shadegrad report runs/NAME --data-dir ~/data   # folder of known data sets";

#[derive(Args, Debug)]
#[command(before_help = EXAMPLES, help_template = super::help::TEMPLATE)]
pub(super) struct ReportArguments {
    /// Folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,

    /// New place of the run's data, if they were moved: a folder or a known data set
    #[arg(long, value_name = "NAME|DIR", value_hint = ValueHint::DirPath)]
    data: Option<String>,

    /// Folder of known data sets, instead of the usual places
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data_dir: Option<PathBuf>,

    /// Overwrite a report even if its confusion matrix and mistakes cannot be recomputed
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    device: DeviceFlags,

    /// Print a JSON object instead of a line
    #[arg(long)]
    json: bool,
}

/// The device and images on which the best model of a run is evaluated for its report.
pub(super) struct ReportInputs<'a> {
    pub(super) test: Split,
    pub(super) shape: ImageShape,
    pub(super) device: &'a dyn Device,
}

#[derive(Serialize)]
pub(super) struct Written {
    report: PathBuf,
    /// The evaluation that it shows.
    #[serde(skip)]
    pub(super) body: String,
    /// Test accuracy of the best epoch.
    #[serde(skip)]
    pub(super) test_accuracy: Option<f64>,
    /// The reason if the report has no results on the test images.
    missing: Option<String>,
    /// The reason if the results on the test images are those of an earlier report.
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
        // A user who names the data wants a report with them.
        Err(error) if arguments.data.is_some() || arguments.data_dir.is_some() => return Err(error),
        Err(error) => write(run, Err(format!("the data set cannot be read: {error}")), *force)?,
    };
    if let Some(why) = &written.missing {
        output::print_note(&format!("note: the report has no confusion matrix and mistakes: {why}\n"));
    }
    if let Some(why) = &written.kept {
        let what = "the confusion matrix and mistakes are those of the last report";
        output::print_note(&format!("note: {what}: {why}\n"));
    }
    if arguments.json {
        output::print_json("report", &written)
    } else {
        output::print(&format!("{}\n", written.report.display()))
    }
}

/// Writes the report of `run` with an evaluation of its best model on `inputs`. If `inputs` is a
/// reason for having none, the last evaluation is reused. `force` allows a report that shows less
/// than the one that it replaces.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) if the report would lose results that cannot be
/// recomputed.
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

/// The reason why a model was not evaluated.
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

/// Returns the results of the last report of `run`. `why` is the reason for not recomputing them.
fn last_examination(run: &Path, why: &str, force: bool) -> Result<Option<Examination>> {
    match Examination::read(run) {
        Ok(None) if !force && report::shows_findings(run) => {
            let shown = run.display();
            let lost = format!("the report in {shown} would lose its confusion matrix and mistakes");
            Err(Error::data(format!("{lost}: {why}"))
                .advise("name the folder of the data, or overwrite the report with --force"))
        }
        Err(_) if force => Ok(None),
        found => found,
    }
}

/// Reads the model at `weights` from a checkpoint, after verifying the checkpoint.
fn model_at(weights: &Path) -> Result<SavedModel> {
    Ok(checkpoint::load(weights.parent().unwrap_or(weights))?.model)
}

/// Returns the folder of a checkpoint, relative to the run's.
fn name(run: &Path, weights: &Path) -> String {
    let folder = weights.parent().unwrap_or(weights);
    folder.strip_prefix(run).unwrap_or(folder).display().to_string()
}

/// Loads the data set of the run, from where the user says or the run found it, if it is unchanged.
fn dataset(record: &Record, arguments: &ReportArguments) -> Result<Dataset> {
    let ReportArguments { run, data, data_dir, .. } = arguments;
    // Images are resized as for the training of the model.
    let about = model_at(&weights_of(run)?)?.about;
    let wanted = about.as_ref().map_or_else(Wanted::default, About::pictures);
    let configured = record.settings.text(Key::Data);
    let name = data.as_deref().or(configured);
    let name = name.ok_or_else(|| Error::data("the run's configuration names none"))?;
    let Facts { data_files, data_dir: recorded, .. } = &record.facts;
    if data.is_none() && data_dir.is_none() {
        data_files.find(name, recorded.as_deref(), &wanted)
    } else {
        data_files.load_from(name, data_dir.clone(), &wanted)
    }
}
