//! Reads an image folder into a data set, or single pictures into images.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::album::{Album, Fault, Picture, common_size};
use super::decode;
use super::description::{self, Counts};
use super::layout::Layout;
use super::name_list::list;
use super::split::Division;
use super::survey::survey;
use super::wanted::{Resize, Size, Wanted};
use crate::data::source::unlike;
use crate::data::{Dataset, ImageShape};
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// Side of the images, in pixels, if the pictures differ in size or are larger than
/// [`LARGEST_KEPT`].
const USUAL_SIDE: usize = 64;

/// Largest side that is kept if all pictures have the same size.
const LARGEST_KEPT: usize = 128;

/// Largest allowed value of the setting `image-size`.
const LARGEST_SIDE: usize = 4096;

/// Reads all pictures of a folder.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) if there are no classes, only one class, a class
/// without a usable picture, or more pictures than fit in memory.
/// [`ErrorKind::Usage`](crate::ErrorKind::Usage) if the requested size is out of range.
pub(in crate::data) fn load(folder: &Path, name: String, wanted: &Wanted) -> Result<Dataset> {
    if let Size::Side(side) = wanted.size
        && !(1..=LARGEST_SIDE).contains(&side)
    {
        let message = format!("must be from 1 to {LARGEST_SIDE}");
        return Err(Error::setting("image-size", side.to_string(), message).advise(Remedy::settings(
            "choose the side of the images in pixels, for example {}",
            [("image-size", "64")],
        )));
    }
    let known = wanted.classes.as_deref();
    let Layout { train, validation, test, mut warnings, .. } = survey(folder, known)?;
    let Division { train, validation, test, origins } = Division::of(train, validation, test);
    let own_classes = || train.iter().map(|class| class.name.clone()).collect();
    let classes: Vec<String> = wanted.classes.clone().unwrap_or_else(own_classes);
    let mut faults = Vec::new();
    let mut open = |split| Album::open(split, &classes, wanted.progress, &mut faults);
    let (mut train, mut test) = (open(train)?, open(test)?);
    let mut validation = validation.map(open).transpose()?;

    let albums = [Some(&train), validation.as_ref(), Some(&test)].into_iter().flatten();
    let pictures: Vec<&Picture> = albums.flat_map(|album| &album.pictures).collect();
    let shape = shape_of(&pictures, wanted.size);
    if wanted.resize == Resize::Refuse {
        check_sizes(&pictures, shape)?;
    }
    let sizes = description::sizes(&pictures, shape, wanted.resize);
    let mut decode = |album: &mut Album| album.decode(shape, wanted, &mut faults);
    let (train_split, test_split) = (decode(&mut train)?, decode(&mut test)?);
    let validation_split = validation.as_mut().map(decode).transpose()?;
    let counts = Counts {
        train: train.counts(classes.len()),
        validation: validation.as_ref().map(|album| album.counts(classes.len())),
        test: test.counts(classes.len()),
    };
    // A model may be evaluated on pictures of only some of its classes.
    if known.is_none() {
        check_counts(folder, &classes, &counts, &faults)?;
    }
    let mut description = description::describe(folder, &classes, &counts, &origins);
    description.push(sizes);
    warnings.extend(faults.into_iter().map(|fault| format!("ignored: {}", fault.message)));
    let validation_split = validation_split.filter(|split| !split.is_empty());
    let splits = [Some(&train_split), validation_split.as_ref(), Some(&test_split)].into_iter().flatten();
    Ok(Dataset {
        name,
        shape,
        classes,
        files: splits.flat_map(|split| split.files.iter().cloned()).collect(),
        train: train_split,
        validation: validation_split,
        test: test_split,
        description: Some(description.join("\n")),
        warnings,
    })
}

/// Determines the shape of all images.
pub(super) fn shape_of(pictures: &[&Picture], size: Size) -> ImageShape {
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

/// Checks that all pictures have the required size, because none is resized.
fn check_sizes(pictures: &[&Picture], shape: ImageShape) -> Result<()> {
    let fits =
        |picture: &&&Picture| (picture.outline.height, picture.outline.width) == (shape.height, shape.width);
    match pictures.iter().find(|picture| !fits(picture)) {
        None => Ok(()),
        Some(other) => Err(decode::wrong_size(&other.path, other.outline.width, other.outline.height, shape)),
    }
}

/// Fails if there are no pictures to train on or none to test on.
pub(super) fn check_counts(
    folder: &Path,
    classes: &[String],
    counts: &Counts,
    faults: &[Fault],
) -> Result<()> {
    let reason =
        |fault: Option<&Fault>| fault.map(|fault| format!(" ({})", fault.message)).unwrap_or_default();
    let is_empty = |(_, count): &(&String, &usize)| **count == 0;
    let empty: Vec<_> = classes.iter().zip(&counts.train).filter(is_empty).map(|(class, _)| class).collect();
    if let Some(&first) = empty.first() {
        let of_first = faults.iter().find(|fault| fault.path.iter().any(|part| part == first.as_str()));
        let found = format_args!("no training pictures of {}{}", list(&empty), reason(of_first));
        return Err(unlike(folder.display(), found, "at least one of each class")
            .advise("add pictures of each class, or move the folders of the others away"));
    }
    if counts.test.iter().all(|&count| count == 0) {
        let found = format_args!("no test pictures{}", reason(faults.last()));
        return Err(unlike(folder.display(), found, "at least one")
            .advise("put some into test/CLASS/, or add more to each class"));
    }
    Ok(())
}

/// Decodes single pictures into images of `shape`. Each result is separate, so one failure does not
/// affect the others.
pub fn read(paths: &[PathBuf], shape: ImageShape, resize: Resize) -> Vec<Result<Vec<u8>>> {
    paths.par_iter().map(|path| decode::decode(path, shape, resize)).collect()
}
