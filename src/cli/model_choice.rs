//! What `MODEL` names: a run, a checkpoint or a file; and what the file does not say itself.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::output;

use crate::checkpoint::{About, SavedModel, read_model};
use crate::data::load::load;
use crate::data::locate::Search;
use crate::data::pictures::{Resize, Wanted};
use crate::data::{Dataset, Normalisation, Normalize};
use crate::error::Result;
use crate::nn::ModelSpec;

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
    /// As [`read_model`].
    pub(super) fn read(&self) -> Result<(PathBuf, SavedModel)> {
        if let Some(spec) = &self.spec {
            // How many classes there are, the data will say.
            ModelSpec::parse(spec, 1).map_err(|error| error.at(format_args!("--model {spec}")))?;
        }
        read_model(&self.path)
    }

    /// The folder of a run or a checkpoint, if the model is one: those know what they were trained
    /// on.
    pub(super) fn folder(&self) -> Option<&Path> {
        let is_file = self.path.is_file() || self.path.extension().is_some_and(|end| end == "safetensors");
        Some(self.path.as_path()).filter(|path| path.is_dir() || !is_file)
    }

    /// Loads a data set for `model`: pictures become what it was trained on.
    ///
    /// What another program's file does not say itself is said then: the layers by `--model`,
    /// images and classes by the data.
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
