//! Data sets: images as bytes, labels, class names, and reading them.
//!
//! A [`Dataset`] is plain memory, independent of devices and models. Pixels stay `u8` until the
//! `gather` op normalises a batch of them on the device.
//!
//! From the bottom up: `source` reads untrusted files, [`idx`] and [`cifar`] (with `archive`) read
//! the formats, [`pictures`] reads image folders, [`catalogue`] lists the official sets, [`locate`]
//! finds their files, and [`load()`] turns a name into a [`Dataset`]. In addition, [`fetch`]
//! downloads official files, [`verify`] checks them, [`statistics`] counts, and [`preview`] draws a
//! contact sheet.
//!
//! To add a data set in an existing format, add an entry to [`catalogue`]. A new format needs a
//! reader, a [`catalogue::Format`] and its [`locate::Files`].
//!
//! ```
//! use shadegrad::data::ImageShape;
//!
//! let shape = ImageShape { channels: 3, height: 32, width: 32 };
//! assert_eq!(shape.pixels(), 3_072);
//! ```

use std::path::PathBuf;

mod archive;
pub mod catalogue;
pub mod cifar;
pub mod fetch;
pub mod hash;
pub mod hold_out;
pub mod idx;
pub mod load;
pub mod locate;
mod normalize;
pub mod patches;
pub mod pictures;
pub mod preview;
mod source;
pub mod statistics;
pub mod verify;

pub use catalogue::{Catalogue, KnownSet};
pub use load::load;
pub use locate::Search;
pub use normalize::{Normalisation, Normalize};
pub use pictures::{Resize, Wanted};

/// Channels, height and width of every image of a data set. Pixels are stored channel by channel
/// and row by row, as in CIFAR's files and PyTorch's tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageShape {
    /// 1 for grey images, 3 for RGB.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageShape {
    /// Returns the number of values of one image, which are bytes.
    pub fn pixels(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Returns the height or the width, whichever is smaller.
    pub fn shorter_side(&self) -> usize {
        self.height.min(self.width)
    }
}

/// One split of a data set: images for training, validation or testing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// All images, one after the other: `[images, channels, height, width]` bytes.
    pub images: Vec<u8>,
    /// The class of each image.
    pub labels: Vec<u32>,
    /// The file of each image. Empty if the images have no files of their own.
    pub files: Vec<PathBuf>,
}

impl Split {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// A classification data set in memory. The default has neither images nor classes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// `fashion-mnist`, or the folder's name.
    pub name: String,
    /// Shape of each image.
    pub shape: ImageShape,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// The training images.
    pub train: Split,
    /// The validation images, which decide the best epoch and early stopping, if the data set has
    /// them.
    pub validation: Option<Split>,
    /// The test images.
    pub test: Split,
    /// The files that the data set was read from, to be recorded with a run.
    pub files: Vec<PathBuf>,
    /// A description of what was found, in a few lines, for image folders.
    pub description: Option<String>,
    /// Warnings about files that were ignored or could not be read, one per line.
    pub warnings: Vec<String>,
}

impl Dataset {
    /// Removes the validation split if a run recorded `files` files for this data set without it.
    /// Runs that were started before image folders had such a split then resume as they began.
    #[must_use]
    pub fn as_recorded(mut self, files: usize) -> Self {
        let validation = self.validation.as_ref().map_or(0, |split| split.files.len());
        if validation > 0 && files + validation == self.files.len() {
            self.leave_out_validation();
        }
        self
    }
}
