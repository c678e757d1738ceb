//! Folders of pictures: PNG and JPEG files, in a folder for each class.
//!
//! ```text
//! flowers/daisy/*.png            flowers/train/daisy/*.png
//! flowers/rose/*.jpg             flowers/train/rose/*.jpg
//!                                flowers/val/daisy/*.png
//!                                flowers/test/daisy/*.png
//! ```
//!
//! `tree` lists the files, `splits` finds the folders of the splits under the names people give
//! them (`split_names`), `layout` the classes and their pictures, or `wrong_folder` says why there
//! are none. `split` says which pictures are tested with: without a folder of them, a fifth of each
//! class. `album` reads the files, `decode` turns one into the bytes of an image. A picture that
//! cannot be read is left out and named; so is everything else that lies around and is not used
//! (`endings` knows the formats). [`verify()`] is the same look without a training.

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
