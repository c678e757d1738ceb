//! The flags for resizing images, for commands that do not train.

use clap::Args;

use super::values;

use crate::data::pictures::{Resize, Size, Wanted};

/// The flags with the same meaning as the configuration keys of these names.
#[derive(Args, Debug)]
pub(super) struct PictureArguments {
    /// Resize images to N x N pixels (image folders only)
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    image_size: Option<usize>,

    /// How to bring images to that size
    #[arg(long, value_parser = values::choice(Resize::ALL, Resize::name), default_value = "crop")]
    resize: Resize,
}

impl PictureArguments {
    pub(super) fn wanted(&self) -> Wanted {
        let size = self.image_size.map_or(Size::Found, Size::Side);
        Wanted { size, resize: self.resize, classes: None, progress: true }
    }
}
