//! Data sets: images as bytes, labels, class names, and where they come from.
//!
//! A [`Dataset`] is plain memory; it knows no device and no model. Pixels stay `u8` until the
//! `gather` op normalises a batch of them on the device.
//!
//! From the bytes up: `source` reads a file without trusting it, [`idx`] and [`cifar`] (with
//! `archive`) know the formats, [`pictures`] folders of them, [`catalogue`] the official sets, [`locate`] where they may be, and
//! [`load`] turns a name into a [`Dataset`]. Beside that, [`fetch`] gets official files, [`verify`]
//! checks them again, [`statistics`] counts, [`preview`] draws.
//!
//! A new data set in one of the formats is an entry in [`catalogue`]; a new format is a reader, a
//! [`catalogue::Format`] and its [`locate::Files`].

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

pub use normalize::{Normalisation, Normalize};

/// Channels, height and width of every image of a data set. Pixels are stored channel by channel,
/// row by row, as CIFAR's files and PyTorch's tensors have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// 1 for grey images, 3 for red, green, blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageShape {
    /// Bytes of one image.
    pub fn pixels(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Rows or columns, whichever are fewer.
    pub fn shorter_side(&self) -> usize {
        self.height.min(self.width)
    }
}

/// One part of a data set: images to train on, to validate on or to test with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// All images, one after the other: `labels.len() * shape.pixels()` bytes.
    pub images: Vec<u8>,
    /// The class of each image.
    pub labels: Vec<u32>,
    /// The file of each image, where each has a file of its own; empty where many share one.
    pub files: Vec<PathBuf>,
}

impl Split {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// A classification data set in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// `fashion-mnist`, or the folder's name.
    pub name: String,
    /// Shape of each image.
    pub shape: ImageShape,
    /// Class names, in the order of the labels.
    pub classes: Vec<String>,
    /// What is trained on.
    pub train: Split,
    /// Images put aside to choose the best epoch and to stop by, where the data set has such a
    /// split.
    pub validation: Option<Split>,
    /// What is tested with.
    pub test: Split,
    /// The files that all this was read from, so that a run can record them.
    pub files: Vec<PathBuf>,
    /// What was looked for and found, in a few lines, where that is not known beforehand.
    pub description: Option<String>,
    /// What was found and not used, or could not be: a line each.
    pub warnings: Vec<String>,
}

impl Dataset {
    /// Leaves the validation split out where a run has recorded that its data set had `files` files
    /// without it: runs that began before folders brought such a split go on as they began.
    pub fn as_recorded(mut self, files: usize) -> Self {
        let validation = self.validation.as_ref().map_or(0, |split| split.files.len());
        if validation > 0 && files + validation == self.files.len() {
            self.leave_out_validation();
        }
        self
    }
}
