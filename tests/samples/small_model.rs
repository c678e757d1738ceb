//! A small model, as a file holds it.

use shadegrad::checkpoint::{About, NamedTensor, SavedModel};
use shadegrad::data::pictures::Resize;
use shadegrad::data::{ImageShape, Normalisation};

/// The shape of its images.
pub const SHAPE: ImageShape = ImageShape { channels: 3, height: 2, width: 2 };

fn tensor(name: &str, shape: &[usize]) -> NamedTensor {
    let values = (0..shape.iter().product()).map(|index: usize| index as f32 / 8.0 - 1.0).collect();
    NamedTensor { name: name.into(), shape: shape.into(), values }
}

/// `linear:5,relu,linear:2` on images of [`SHAPE`].
pub fn small_model() -> SavedModel {
    SavedModel {
        tensors: vec![
            tensor("0.bias", &[5]),
            tensor("0.weight", &[5, 12]),
            tensor("2.bias", &[2]),
            tensor("2.weight", &[2, 5]),
        ],
        about: Some(About {
            model: "linear:5,relu,linear:2".into(),
            shape: [3, 2, 2],
            classes: vec!["Größe".into(), "图片".into()],
            resize: Resize::Stretch,
            normalisation: Normalisation { mean: vec![0.5; 3], std: vec![0.25; 3] },
        }),
    }
}
