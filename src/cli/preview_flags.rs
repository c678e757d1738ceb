//! The flags that draw a sheet of training images.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values;
use crate::augmentation::{Augmentation, Flip};
use crate::data::Dataset;
use crate::data::preview::sheet;
use crate::error::{Error, Result};
use crate::fs::atomic;

/// A file, and as the keys of the same names.
#[derive(Args, Debug)]
pub(super) struct PreviewArguments {
    /// Draw training images, a row a class, as training changes them; a file that is there is
    /// replaced
    #[arg(long, value_name = "FILE.png")]
    preview: Option<PathBuf>,

    /// Mirror them: a random half in each epoch, or each in every other epoch
    #[arg(long, value_enum, default_value = "none", requires = "preview")]
    flip: FlipName,

    /// Shift them by up to this many pixels in both directions, edges mirrored
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::count_or_zero, allow_negative_numbers = true, requires = "preview")]
    crop: usize,

    /// Cut a square of this side out of them
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::count_or_zero, allow_negative_numbers = true, requires = "preview")]
    cutout: usize,

    /// What the random numbers follow from
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::seed, allow_negative_numbers = true, requires = "preview")]
    seed: u64,
}

/// [`Flip`] as clap knows it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FlipName {
    None,
    Random,
    Alternating,
}

impl PreviewArguments {
    /// Refuses a file that would not be what its name says.
    pub(super) fn check(&self) -> Result<()> {
        match &self.preview {
            Some(path) if !path.extension().is_some_and(|end| end.eq_ignore_ascii_case("png")) => {
                Err(Error::usage(format!("--preview {}: must be a .png file", path.display()))
                    .advise("name another file, for example preview.png"))
            }
            _ => Ok(()),
        }
    }

    /// Draws what was asked for, and returns where it is.
    pub(super) fn draw(&self, dataset: &Dataset) -> Result<Option<&PathBuf>> {
        let Some(path) = &self.preview else { return Ok(None) };
        let flip = match self.flip {
            FlipName::None => Flip::None,
            FlipName::Random => Flip::Random,
            FlipName::Alternating => Flip::Alternating,
        };
        let &PreviewArguments { crop, cutout, seed, .. } = self;
        let augmentation = Augmentation { seed, flip, crop, cutout };
        augmentation.check([dataset.shape.height, dataset.shape.width])?;
        atomic::write(path, &sheet(dataset, &augmentation)?)?;
        Ok(Some(path))
    }
}
