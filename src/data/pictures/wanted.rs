//! What a folder of pictures is to become.

use serde::{Deserialize, Serialize};

use crate::data::ImageShape;

/// How a picture of another size than the model's is made to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Its middle, as large as the proportions allow, is scaled.
    #[default]
    Crop,
    /// All of it is scaled, whatever becomes of the proportions.
    Stretch,
    /// Not at all: it is an error.
    Refuse,
}

impl Resize {
    /// All of them.
    pub const ALL: [Resize; 3] = [Resize::Crop, Resize::Stretch, Resize::Refuse];

    /// As in flags and files.
    pub const fn name(self) -> &'static str {
        match self {
            Resize::Crop => "crop",
            Resize::Stretch => "stretch",
            Resize::Refuse => "refuse",
        }
    }
}

/// What a folder of pictures is to become. The default is what `train` does where nothing is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Size and channels of the images.
    pub size: Size,
    /// What becomes of pictures of another size.
    pub resize: Resize,
    /// The classes, in the order of the labels; else they are those of the folders, sorted by name.
    pub classes: Option<Vec<String>>,
    /// Show on a terminal how far the reading is.
    pub progress: bool,
}

/// Size and channels of images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// That of the pictures, if all have the same and it is small, else 64x64. With colour, unless no
    /// picture has any.
    #[default]
    Found,
    /// Squares with this side. With colour, unless no picture has any.
    Side(usize),
    /// Exactly this, as a model wants it.
    Exactly(ImageShape),
}
