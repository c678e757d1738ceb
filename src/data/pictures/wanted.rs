//! How an image folder is to be loaded.

use serde::{Deserialize, Serialize};

use crate::data::ImageShape;
use crate::text::named::named;

named! {
    /// How pictures are brought to the training size.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Resize {
        /// The largest centred part with the right aspect ratio is scaled.
        #[default]
        Crop = "crop",
        /// The whole picture is scaled, ignoring its aspect ratio.
        Stretch = "stretch",
        /// Pictures of another size are an error.
        Refuse = "refuse",
    }
}

/// How an image folder is to be loaded. The default is that of `train`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Size and number of channels of the images.
    pub size: Size,
    /// How pictures of another size are resized.
    pub resize: Resize,
    /// The classes in the order of the labels. `None` uses the names of the folders, sorted.
    pub classes: Option<Vec<String>>,
    /// Whether to show a progress bar on a terminal.
    pub progress: bool,
}

/// Size and number of channels of the images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// The size of the pictures if all have the same and it is at most 128, else 64x64. RGB, unless
    /// all pictures are greyscale.
    #[default]
    Found,
    /// Squares with this side in pixels. RGB, unless all pictures are greyscale.
    Side(usize),
    /// Exactly this shape, as required by a model.
    Exactly(ImageShape),
}
