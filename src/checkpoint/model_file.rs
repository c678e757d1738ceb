//! Model files: safetensors with PyTorch's names, and the metadata needed to use the weights.
//!
//! ```
//! use std::path::Path;
//!
//! use shadegrad::checkpoint::{NamedTensor, SavedModel};
//!
//! let bias = NamedTensor { name: "0.bias".into(), shape: vec![2], values: vec![0.5, -1.0] };
//! let model = SavedModel { tensors: vec![bias], about: None };
//! let read = SavedModel::from_bytes(&model.to_bytes()?, Path::new("memory"))?;
//! assert_eq!(read.values("0.bias", &[2])?, [0.5, -1.0]);
//! # Ok::<(), shadegrad::Error>(())
//! ```

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};

use crate::data::pictures::{self, Resize};
use crate::data::{ImageShape, Normalisation};
use crate::error::{Error, Result};
use crate::fs::atomic;
use crate::nn::{ModelSpec, Size};
use crate::remedy::Remedy;

/// Metadata key under which [`About`] is stored as JSON. A single key makes two saves of the same
/// model byte-identical.
const KEY: &str = "shadegrad";

/// Suffix of the counter in PyTorch's batch norms. It has no effect if the momentum is fixed, and
/// PyTorch loads weights without it.
const BATCHES_SEEN: &str = ".num_batches_tracked";

/// Maximum size of a model file in bytes. It is far above any model that can be trained here.
const MOST_BYTES: u64 = 16 << 30;

/// A named array of floats.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// The name in PyTorch, such as `0.weight`.
    pub name: String,
    /// Sizes of the dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Values in row-major order.
    pub values: Vec<f32>,
}

impl NamedTensor {
    /// Whether no value is NaN or infinite.
    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

/// The metadata of a model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The layers, such as `linear:128,relu,linear:10`.
    pub model: String,
    /// Channels, height and width of the images.
    pub shape: [usize; 3],
    /// Class names, in the order of the logits.
    pub classes: Vec<String>,
    /// How pictures of another size are resized.
    #[serde(default)]
    pub resize: Resize,
    /// The normalisation of the model's input.
    pub normalisation: Normalisation,
}

impl About {
    /// Parses the layers and checks that the model can be built.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) if the text is not a model, or if the model is
    /// too large.
    pub fn spec(&self) -> Result<ModelSpec> {
        let spec = ModelSpec::parse(&self.model, self.classes.len());
        let built = spec.and_then(|spec| spec.check_sizes(self.image(), 1).map(|()| spec));
        built.map_err(|cause| Error::model(format!("the file's model `{}`: {cause}", self.model)))
    }

    /// Returns the number of values of an image. It saturates, so that [`spec`](About::spec)
    /// rejects absurd sizes.
    pub fn pixels(&self) -> usize {
        self.shape.iter().fold(1, |product, &size| product.saturating_mul(size))
    }

    /// Returns the shape of the model's input.
    pub fn image(&self) -> Size {
        let [channels, height, width] = self.shape;
        Size::Map { height, width, channels }
    }

    /// Returns how pictures are loaded for the model: as they were for training.
    pub fn pictures(&self) -> pictures::Wanted {
        let [channels, height, width] = self.shape;
        let size = pictures::Size::Exactly(ImageShape { channels, height, width });
        let classes = Some(self.classes.clone());
        pictures::Wanted { size, resize: self.resize, classes, progress: false }
    }

    /// Returns a description of the first invalid value, if there is one, because files are
    /// untrusted.
    fn fault(&self) -> Option<String> {
        let Normalisation { mean, std } = &self.normalisation;
        let [channels, height, width] = self.shape;
        let are_usable = |numbers: &[f64]| numbers.len() == channels && numbers.iter().all(|x| x.is_finite());
        if self.pixels() == 0 {
            Some(format!("images of {channels}x{height}x{width}"))
        } else if self.classes.is_empty() {
            Some("no classes".into())
        } else if self.classes.iter().any(|class| class.contains(char::is_control)) {
            // Class names are printed, and a terminal interprets control characters.
            Some("a class whose name is not plain text".into())
        } else if !are_usable(mean) || !are_usable(std) || std.iter().any(|&std| std <= 0.0) {
            Some(format!("mean {mean:?} and std {std:?} for {channels} channels"))
        } else {
            None
        }
    }
}

/// The contents of a model file.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedModel {
    /// All parameters and running statistics.
    pub tensors: Vec<NamedTensor>,
    /// The metadata. Files of other programs have none.
    pub about: Option<About>,
}

impl SavedModel {
    /// Reads a `.safetensors` file of f32 tensors.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) if the file cannot be read or is not such a
    /// file.
    pub fn read(path: &Path) -> Result<Self> {
        let bad = |what: String| {
            Error::model(format!("{}: {what}", path.display()))
                .advise("use a .safetensors file with f32 weights under PyTorch's names, such as 0.weight")
        };
        let length = std::fs::metadata(path).map_err(|cause| bad(format!("cannot be read: {cause}")))?.len();
        if length > MOST_BYTES {
            return Err(bad(format!("has {length} bytes, more than the maximum of {MOST_BYTES}")));
        }
        let bytes = std::fs::read(path).map_err(|cause| bad(format!("cannot be read: {cause}")))?;
        SavedModel::from_bytes(&bytes, path)
    }

    /// Parses the contents of a `.safetensors` file. Errors name the file by `path`.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) if they are not those of such a file.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let bad = |what: String| {
            Error::model(format!("{}: {what}", path.display()))
                .advise("use a .safetensors file with f32 weights under PyTorch's names, such as 0.weight")
        };
        let invalid = |cause| bad(format!("is not a safetensors file: {cause}"));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(invalid)?;
        let file = SafeTensors::deserialize(bytes).map_err(invalid)?;
        let about = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let damaged = |what: String| bad(format!("its metadata `{KEY}` is damaged: {what}"));
        let about: Option<About> = about
            .map(|json| serde_json::from_str(json))
            .transpose()
            .map_err(|cause| damaged(cause.to_string()))?;
        if let Some(fault) = about.as_ref().and_then(About::fault) {
            return Err(damaged(fault));
        }
        let mut tensors = Vec::new();
        for (name, view) in file.iter().filter(|(name, _)| !name.ends_with(BATCHES_SEEN)) {
            if view.dtype() != Dtype::F32 {
                return Err(bad(format!("{name} holds {:?}, not F32", view.dtype())));
            }
            let values: Vec<f32> = bytemuck::pod_collect_to_vec(view.data());
            if let Some(position) = values.iter().position(|value| !value.is_finite()) {
                return Err(bad(format!("{name} holds {} at {position}", values[position])));
            }
            tensors.push(NamedTensor { name: name.into(), shape: view.shape().to_vec(), values });
        }
        tensors.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(SavedModel { tensors, about })
    }

    /// Returns the metadata.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) if the file has none.
    pub fn about(&self) -> Result<&About> {
        self.about.as_ref().ok_or_else(|| {
            Error::model("the file does not say which model its weights belong to").advise(Remedy::settings(
                "name it with {} and {}, or use a file that shadegrad wrote",
                [("model", ""), ("data", "")],
            ))
        })
    }

    /// Writes the model atomically.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        atomic::write(path, &self.to_bytes()?)
    }

    /// Returns the contents of a `.safetensors` file.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if a tensor's shape and number of values
    /// differ.
    #[expect(clippy::missing_panics_doc, reason = "it holds by construction")]
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let damaged = |cause| Error::new(crate::ErrorKind::Internal, format!("a model file: {cause}"));
        let views = self.tensors.iter().map(|tensor| {
            let bytes = bytemuck::cast_slice(&tensor.values);
            TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map(|view| (&tensor.name, view))
        });
        let views: Vec<_> = views.collect::<Result<_, _>>().map_err(damaged)?;
        let metadata = self.about.as_ref().map(|about| {
            let json = serde_json::to_string(about).expect("plain values turn into JSON");
            HashMap::from([(KEY.to_string(), json)])
        });
        serialize(views, metadata).map_err(damaged)
    }

    /// Returns the values of the tensor `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) if there is no such tensor or its shape is not
    /// `shape`.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<&[f32]> {
        let names = || self.tensors.iter().map(|tensor| tensor.name.as_str()).collect::<Vec<_>>().join(", ");
        let tensor = self.tensors.iter().find(|tensor| tensor.name == name).ok_or_else(|| {
            Error::model(format!("the file has no {name} {shape:?}, which the model needs"))
                .advise(format!("it has: {}", names()))
        })?;
        if tensor.shape != shape {
            return Err(Error::model(format!(
                "{name} has the shape {:?} in the file and {shape:?} in the model",
                tensor.shape
            ))
            .advise(Remedy::settings("name the model that the file was made for with {}", [("model", "")])));
        }
        Ok(&tensor.values)
    }
}
