//! What `MODEL` names: a run, a checkpoint or a file; and what the file does not say itself.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::output;

use crate::config::Normalize;
use crate::data::Dataset;
use crate::data::load::load;
use crate::data::locate::Search;
use crate::data::pictures::{Resize, Wanted};
use crate::error::{Error, Result};
use crate::model::ModelSpec;
use crate::run::model_file::About;
use crate::run::{SavedModel, checkpoint};
use crate::train::Normalisation;

/// The weights of every checkpoint.
const WEIGHTS: &str = "model.safetensors";

/// Text file in a run's folder with the path of its best checkpoint, relative to the folder.
const BEST: &str = "best";

/// The arguments that name a trained model.
#[derive(Args, Debug)]
pub(super) struct ModelArguments {
    /// A run's folder (its best checkpoint), a checkpoint's folder or a .safetensors file
    #[arg(value_name = "MODEL")]
    path: PathBuf,

    /// The layers, where the file does not say
    #[arg(long = "model", value_name = "SPEC")]
    spec: Option<String>,

    /// How pixels are scaled, where the file does not say
    #[arg(long, value_enum, default_value = "unit")]
    normalize: NormalizeName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum NormalizeName {
    Unit,
    Standard,
}

impl ModelArguments {
    /// The file with the weights, and what is in it.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) where there is none or it cannot be used. Of a run or
    /// a checkpoint, every file must be as it was saved; no other checkpoint stands in for a damaged one.
    pub(super) fn read(&self) -> Result<(PathBuf, SavedModel)> {
        if let Some(spec) = &self.spec {
            // How many classes there are, the data will say.
            ModelSpec::parse(spec, 1).map_err(|error| error.at(format_args!("--model {spec}")))?;
        }
        let path = weights_of(&self.path)?;
        let model = match path.parent() {
            Some(folder) if self.path.is_dir() => checkpoint::load(folder)?.model,
            // A file alone has nothing that vouches for it.
            _ => SavedModel::read(&path)?,
        };
        Ok((path, model))
    }

    /// Loads a data set for `model`: pictures become what it was trained on.
    ///
    /// What another program's file does not say itself is said then: the layers by `--model`, images and
    /// classes by the data.
    pub(super) fn load(&self, model: &mut SavedModel, data: &str, search: &Search) -> Result<Dataset> {
        let wanted = model.about.as_ref().map_or_else(Wanted::default, About::pictures);
        let wanted = Wanted { progress: true, ..wanted };
        let dataset = load(data, search, &wanted)?;
        output::print_warnings(&dataset);
        if let (None, Some(spec)) = (&model.about, &self.spec) {
            let layers = ModelSpec::parse(spec, dataset.classes.len());
            let checked = layers.and_then(|layers| layers.check_sizes(dataset.shape.into(), 1));
            checked.map_err(|error| error.at(format_args!("--model {spec}")))?;
            model.about = Some(self.about(spec, &dataset));
        }
        Ok(dataset)
    }

    fn about(&self, spec: &str, dataset: &Dataset) -> About {
        let rule = match self.normalize {
            NormalizeName::Unit => Normalize::Unit,
            NormalizeName::Standard => Normalize::Standard,
        };
        let shape = dataset.shape;
        About {
            model: spec.into(),
            shape: [shape.channels, shape.height, shape.width],
            classes: dataset.classes.clone(),
            resize: Resize::default(),
            normalisation: Normalisation::of(rule, dataset),
        }
    }
}

/// The file with the weights: `model` itself, that of a checkpoint's folder, or that of a run's best
/// checkpoint.
///
/// # Errors
/// [`ErrorKind::Model`](crate::ErrorKind::Model) where there is none.
pub(super) fn weights_of(model: &Path) -> Result<PathBuf> {
    let shown = model.display();
    let about = std::fs::metadata(model).map_err(|cause| {
        Error::model(format!("there is no model {shown}: {cause}"))
            .advise("name a run's folder, a checkpoint's folder or a .safetensors file")
    })?;
    if about.is_file() {
        return Ok(model.into());
    }
    if model.join(WEIGHTS).is_file() {
        return Ok(model.join(WEIGHTS));
    }
    let pointer = std::fs::read_to_string(model.join(BEST)).map_err(|_| {
        Error::model(format!("{shown} is neither a run nor a checkpoint: it has no {WEIGHTS} and no {BEST}"))
            .advise("name a run's folder, a checkpoint's folder or a .safetensors file")
    })?;
    let weights = model.join(pointer.trim()).join(WEIGHTS);
    if !weights.is_file() {
        let (best, weights) = (model.join(BEST), weights.display());
        return Err(Error::model(format!("{} names {weights}, which is not there", best.display()))
            .advise("name another checkpoint of the run, in its folder checkpoints/"));
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn runs_checkpoints_and_files_lead_to_weights() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let run = folder.path();
        let checkpoint = run.join("checkpoints/000100");
        std::fs::create_dir_all(&checkpoint).expect("it is writable");
        assert_eq!(weights_of(run).expect_err("nothing there").kind(), ErrorKind::Model);
        std::fs::write(run.join(BEST), "checkpoints/000100\n").expect("it is writable");
        assert_eq!(weights_of(run).expect_err("no weights").kind(), ErrorKind::Model);
        let weights = checkpoint.join(WEIGHTS);
        std::fs::write(&weights, "").expect("it is writable");
        for model in [run, &checkpoint, &weights] {
            assert_eq!(weights_of(model).expect("there are weights"), weights);
        }
        assert_eq!(weights_of(&run.join("x")).expect_err("no such").kind(), ErrorKind::Model);
    }
}
