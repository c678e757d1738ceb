//! Folders of pictures: PNG and JPEG files, in a folder for each class.
//!
//! ```text
//! flowers/daisy/*.png            flowers/train/daisy/*.png
//! flowers/rose/*.jpg             flowers/train/rose/*.jpg
//!                                flowers/test/daisy/*.png
//! ```
//!
//! Without a folder of test pictures, a fifth of each class is kept for testing (`split`). `layout`
//! finds the files, `album` reads them, `decode` turns one into the bytes of an image. A picture that cannot be read is left
//! out and named; so is everything else that lies around and is not used.

mod album;
mod decode;
mod jpeg;
mod layout;
mod split;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::album::{Album, Picture};
use self::layout::{Class, Layout};
use super::source::unlike;
use super::statistics::class_counts;
use super::{Dataset, ImageShape, Split};
use crate::error::{Error, Result};

/// The side of images where pictures differ in size, or have one that is too large to train on without
/// being asked for.
const USUAL_SIDE: usize = 64;

/// The largest side that pictures keep where they have it all.
const LARGEST_KEPT: usize = 128;

/// The largest side that can be asked for.
const LARGEST_SIDE: usize = 4096;

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

/// A picture file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, with the path in it.
    pub message: String,
}

/// Reads all pictures of a folder.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data), with what was found, where there are no classes, a class
/// without a usable picture, or more pictures than fit the memory;
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a size that makes no sense.
pub(super) fn load(folder: &Path, name: String, wanted: &Wanted) -> Result<Dataset> {
    if let Size::Side(side) = wanted.size
        && !(1..=LARGEST_SIDE).contains(&side)
    {
        return Err(Error::usage(format!("--image-size {side}: must be from 1 to {LARGEST_SIDE}"))
            .advise("name the side of the images, for example --image-size 64"));
    }
    let Layout { train, test, unused: mut warnings } = layout::survey(folder)?;
    let own_classes = || train.iter().map(|class| class.name.clone()).collect();
    let classes: Vec<String> = wanted.classes.clone().unwrap_or_else(own_classes);
    let apart = match &test {
        Some((name, _)) => format!("those in {name}/ are for testing"),
        None => "without a test/, a fifth of each class is for testing".into(),
    };
    let (train, test) = match test {
        Some((_, test)) => (train, test),
        None => train.into_iter().map(divide).unzip(),
    };
    let mut train = Album::open(train, &classes, wanted.progress, &mut warnings)?;
    let mut test = Album::open(test, &classes, wanted.progress, &mut warnings)?;

    let pictures: Vec<&Picture> = train.pictures.iter().chain(&test.pictures).collect();
    let shape = shape_of(&pictures, wanted.size);
    if wanted.resize == Resize::Refuse {
        check_sizes(&pictures, shape)?;
    }
    let found = describe(&pictures, shape, wanted.resize);
    let description = format!("{}: {} classes, {found}; {apart}", folder.display(), classes.len());
    let train_split = train.decode(shape, wanted, &mut warnings)?;
    let test_split = test.decode(shape, wanted, &mut warnings)?;
    // A model may be tried on pictures of some of its classes.
    if wanted.classes.is_none() {
        check_classes(folder, &classes, &train_split, &test_split, &warnings)?;
    }
    let files = train.pictures.into_iter().chain(test.pictures).map(|picture| picture.path).collect();
    let (train, test) = (train_split, test_split);
    let description = Some(description);
    Ok(Dataset { name, shape, classes, train, validation: None, test, files, description, warnings })
}

/// The shape of all images.
fn shape_of(pictures: &[&Picture], size: Size) -> ImageShape {
    let has_colour = pictures.iter().any(|picture| !picture.outline.is_grey);
    let channels = if has_colour { 3 } else { 1 };
    let square = |side| ImageShape { channels, height: side, width: side };
    match size {
        Size::Exactly(shape) => shape,
        Size::Side(side) => square(side),
        Size::Found => match common_size(pictures) {
            Some((height, width)) if height.max(width) <= LARGEST_KEPT => {
                ImageShape { channels, height, width }
            }
            _ => square(USUAL_SIDE),
        },
    }
}

/// Height and width, if all pictures have the same.
fn common_size(pictures: &[&Picture]) -> Option<(usize, usize)> {
    let mut sizes = pictures.iter().map(|picture| (picture.outline.height, picture.outline.width));
    let first = sizes.next()?;
    sizes.all(|size| size == first).then_some(first)
}

/// Nothing is resized, so all pictures must have the size.
fn check_sizes(pictures: &[&Picture], shape: ImageShape) -> Result<()> {
    let fits =
        |picture: &&&Picture| (picture.outline.height, picture.outline.width) == (shape.height, shape.width);
    match pictures.iter().find(|picture| !fits(picture)) {
        None => Ok(()),
        Some(other) => Err(decode::wrong_size(&other.path, other.outline.width, other.outline.height, shape)),
    }
}

/// How many pictures of what sizes (columns by rows) become what (channels, rows, columns).
fn describe(pictures: &[&Picture], shape: ImageShape, resize: Resize) -> String {
    let areas = |picture: &&&Picture| picture.outline.height * picture.outline.width;
    let size = |picture: &Picture| format!("{}x{}", picture.outline.width, picture.outline.height);
    let extremes = pictures.iter().min_by_key(areas).zip(pictures.iter().max_by_key(areas));
    let sizes = match (common_size(pictures), extremes) {
        (Some((height, width)), _) => format!(" of {width}x{height}"),
        (None, Some((least, most))) => format!(" of {} to {}", size(least), size(most)),
        (None, None) => String::new(),
    };
    let how = match resize {
        _ if common_size(pictures) == Some((shape.height, shape.width)) => "as they are",
        Resize::Stretch => "stretched",
        Resize::Crop | Resize::Refuse => "cropped and scaled",
    };
    let ImageShape { channels, height, width } = shape;
    format!("{} pictures{sizes}, {how}: images of {channels}x{height}x{width}", pictures.len())
}

/// Fails where there is nothing to train on, or to test with.
fn check_classes(
    folder: &Path,
    classes: &[String],
    train: &Split,
    test: &Split,
    warnings: &[String],
) -> Result<()> {
    let counts = class_counts(train, classes.len());
    let reason = warnings.last().map(|warning| format!(" ({warning})")).unwrap_or_default();
    if let Some(empty) = counts.iter().position(|&count| count == 0) {
        let found = format_args!("no picture of {} to train on{reason}", classes[empty]);
        return Err(unlike(folder.display(), found, "one at least of each class"));
    }
    if test.is_empty() {
        let found = format_args!("no picture to test with{reason}");
        return Err(unlike(folder.display(), found, "one at least")
            .advise("put some into test/CLASS/, or several into each class"));
    }
    Ok(())
}

/// Decodes single pictures into images of `shape`, each on its own: one that fails says why.
pub fn read(paths: &[PathBuf], shape: ImageShape, resize: Resize) -> Vec<Result<Vec<u8>>> {
    paths.par_iter().map(|path| decode::decode(path, shape, resize)).collect()
}

/// Decodes every picture of a folder to the end: how many there are, and which cannot be used.
///
/// # Errors
/// As `load`, where the folder is not one of pictures.
pub fn verify(folder: &Path) -> Result<(usize, Vec<Fault>)> {
    let found = layout::survey(folder)?;
    let test = found.test.map(|(_, classes)| classes).unwrap_or_default();
    let classes = found.train.into_iter().chain(test);
    let files: Vec<PathBuf> = classes.flat_map(|class| class.pictures).collect();
    let fault = |path: &PathBuf| {
        let result = decode::outline(path).and_then(|outline| {
            let shape = ImageShape { channels: 3, height: outline.height, width: outline.width };
            decode::decode(path, shape, Resize::Refuse)
        });
        result.err().map(|error| Fault { path: path.clone(), message: error.to_string() })
    };
    let faults = files.par_iter().filter_map(fault).collect();
    Ok((files.len(), faults))
}

fn divide(class: Class) -> (Class, Class) {
    let Class { name, folder, pictures } = class;
    let (train, test) = split::divide(pictures);
    let train = Class { name: name.clone(), folder: folder.clone(), pictures: train };
    (train, Class { name, folder, pictures: test })
}
