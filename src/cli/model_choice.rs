//! The argument `MODEL`: a run, a checkpoint or a file, with flags for what a file does not record.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{output, values};

use crate::checkpoint::{About, SavedModel, read_model};
use crate::data::{Dataset, Normalisation, Normalize};
use crate::data::{Resize, Search, Wanted, load};
use crate::error::Result;
use crate::nn::ModelSpec;

/// The arguments that select a trained model.
#[derive(Args, Debug)]
pub(super) struct ModelArguments {
    /// A run folder (its best checkpoint), a checkpoint folder or a .safetensors file
    #[arg(value_name = "MODEL")]
    path: PathBuf,

    /// Layers of the model, if the file does not record them
    #[arg(long = "model", value_name = "SPEC")]
    spec: Option<String>,

    /// How pixels are normalised, if the file does not record it
    #[arg(long, value_parser = values::choice(Normalize::ALL, Normalize::name), default_value = "unit")]
    normalize: Normalize,
}

impl ModelArguments {
    /// Returns the path of the file with the weights, and the model.
    pub(super) fn read(&self) -> Result<(PathBuf, SavedModel)> {
        if let Some(spec) = &self.spec {
            // The number of classes is known once the data are loaded.
            ModelSpec::parse(spec, 1).map_err(|error| error.at(format_args!("--model {spec}")))?;
        }
        read_model(&self.path)
    }

    /// Returns the folder if the model is a run or a checkpoint, which record their training data.
    pub(super) fn folder(&self) -> Option<&Path> {
        let is_file = self.path.is_file() || self.path.extension().is_some_and(|end| end == "safetensors");
        Some(self.path.as_path()).filter(|path| path.is_dir() || !is_file)
    }

    /// Loads a data set for `model`, with images resized as for its training.
    ///
    /// Completes the description of a model from another program: the layers come from `--model`,
    /// the image size and the classes from the data.
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
        let shape = dataset.shape;
        About {
            model: spec.into(),
            shape: [shape.channels, shape.height, shape.width],
            classes: dataset.classes.clone(),
            resize: Resize::default(),
            normalisation: Normalisation::of(self.normalize, dataset),
        }
    }
}
