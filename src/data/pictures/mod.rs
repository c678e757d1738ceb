//! Image folders: PNG and JPEG files, in one sub-folder per class.
//!
//! ```text
//! flowers/daisy/*.png            flowers/train/daisy/*.png
//! flowers/rose/*.jpg             flowers/train/rose/*.jpg
//!                                flowers/val/daisy/*.png
//!                                flowers/test/daisy/*.png
//! ```
//!
//! `tree` lists the files. `splits` finds the folders of the splits by their usual names
//! (`split_names`). `layout` finds the classes and their pictures, or `wrong_folder` explains why
//! there are none. `split` divides the pictures: without a test folder, 20 % of each class is held
//! out. `album` reads the files, and `decode` turns one into the bytes of an image. Pictures that
//! cannot be read and other files are ignored with a warning (`endings` knows the formats).
//! [`verify()`] does the same checks without training.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let found = shadegrad::data::pictures::verify(Path::new("flowers"), false)?;
//! println!("{} classes, {} unusable pictures", found.classes.len(), found.faults.len());
//! # Ok::<(), shadegrad::Error>(())
//! ```

mod album;
mod decode;
mod description;
mod endings;
mod jpeg;
mod layout;
mod loading;
mod name_list;
mod split;
mod split_names;
mod splits;
mod survey;
mod tree;
mod verify;
mod wanted;
mod wrong_folder;

pub use self::album::Fault;
pub use self::description::Counts;
pub use self::endings::Endings;
pub(super) use self::loading::load;
pub use self::loading::read;
pub use self::split::{Origins, TestOrigin};
pub use self::verify::{Verification, verify};
pub use self::wanted::{Resize, Size, Wanted};
