//! The flags that draw a preview sheet of training images.

use std::path::PathBuf;

use clap::Args;

use super::values;
use crate::augmentation::{Augmentation, Flip};
use crate::data::Dataset;
use crate::data::preview::sheet;
use crate::error::{Error, Result};
use crate::fs::atomic;

/// The file of the preview, and flags with the meaning of the configuration keys of these names.
#[derive(Args, Debug)]
pub(super) struct PreviewArguments {
    /// Write a preview of augmented training images, one row per class; replaces an existing file
    #[arg(long, value_name = "FILE.png")]
    preview: Option<PathBuf>,

    /// Flip them horizontally: at random, or each one in alternating epochs
    #[arg(long, value_parser = values::choice(Flip::ALL, Flip::name), default_value = "none", requires = "preview")]
    flip: Flip,

    /// Random crop with N pixels of reflect padding
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::count_or_zero, allow_negative_numbers = true, requires = "preview")]
    crop: usize,

    /// Cutout: mask a random N x N square
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::count_or_zero, allow_negative_numbers = true, requires = "preview")]
    cutout: usize,

    /// Random seed
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::seed, allow_negative_numbers = true, requires = "preview")]
    seed: u64,
}

impl PreviewArguments {
    /// Refuses a file name that does not end in `.png`.
    pub(super) fn check(&self) -> Result<()> {
        match &self.preview {
            Some(path) if !path.extension().is_some_and(|end| end.eq_ignore_ascii_case("png")) => {
                Err(Error::usage(format!("--preview {}: must be a .png file", path.display()))
                    .advise("choose another name, for example preview.png"))
            }
            _ => Ok(()),
        }
    }

    /// Writes the preview, if one was requested, and returns its path.
    pub(super) fn draw(&self, dataset: &Dataset) -> Result<Option<&PathBuf>> {
        let Some(path) = &self.preview else { return Ok(None) };
        let &PreviewArguments { flip, crop, cutout, seed, .. } = self;
        let augmentation = Augmentation { seed, flip, crop, cutout };
        augmentation.check([dataset.shape.height, dataset.shape.width])?;
        atomic::write(path, &sheet(dataset, &augmentation)?)?;
        Ok(Some(path))
    }
}
