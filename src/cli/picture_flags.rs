//! The flags that say what pictures become, for commands that do not train.

use clap::{Args, ValueEnum};

use super::values;

use crate::data::pictures::{Resize, Size, Wanted};

/// As the keys of the same names.
#[derive(Args, Debug)]
pub(super) struct PictureArguments {
    /// Side of the images that pictures become
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    image_size: Option<usize>,

    /// What becomes of pictures of another size
    #[arg(long, value_enum, default_value = "crop")]
    resize: ResizeName,
}

/// [`Resize`] as clap knows it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ResizeName {
    Crop,
    Stretch,
    Refuse,
}

impl PictureArguments {
    pub(super) fn wanted(&self) -> Wanted {
        let size = self.image_size.map_or(Size::Found, Size::Side);
        Wanted { size, resize: self.resize.into(), classes: None, progress: true }
    }
}

impl From<ResizeName> for Resize {
    fn from(name: ResizeName) -> Resize {
        match name {
            ResizeName::Crop => Resize::Crop,
            ResizeName::Stretch => Resize::Stretch,
            ResizeName::Refuse => Resize::Refuse,
        }
    }
}
