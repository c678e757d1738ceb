//! Verification of an image folder without training.

use std::path::Path;

use super::Wanted;
use super::album::{Album, Fault};
use super::description::{self, Counts};
use super::endings::Endings;
use super::layout::Layout;
use super::split::{Division, Origins};
use super::survey::survey;
use crate::data::pictures::loading::{check_counts, shape_of};
use crate::error::{Error, Result};

/// A class with fewer training pictures can hardly be learnt.
const FEW: usize = 10;

/// The contents of an image folder, and whether it can be trained on.
#[derive(Debug)]
pub struct Verification {
    /// Number of pictures, including those that could not be decoded.
    pub pictures: usize,
    /// The pictures that cannot be used.
    pub faults: Vec<Fault>,
    /// The classes.
    pub classes: Vec<String>,
    /// Number of usable pictures of each class.
    pub counts: Counts,
    /// The folders of the splits.
    pub origins: Origins,
    /// A description of classes, splits and sizes, in a few lines.
    pub description: Vec<String>,
    /// Warnings about ignored files and probable mistakes, one per line.
    pub warnings: Vec<String>,
    /// Pictures in unsupported formats.
    pub unread: Endings,
    /// Files that are not pictures.
    pub others: Endings,
    /// The error that training would report, if any.
    pub refusal: Option<Error>,
}

/// Decodes every picture of a folder completely.
///
/// # Errors
/// The same as loading the folder for training, if it is not an image folder or has no classes. A
/// class without a usable picture is not an error but a [`refusal`](Verification::refusal).
pub fn verify(folder: &Path, progress: bool) -> Result<Verification> {
    let Layout { train, validation, test, mut warnings, unread, others } = survey(folder, None)?;
    let Division { train, validation, test, origins } = Division::of(train, validation, test);
    let classes: Vec<String> = train.iter().map(|class| class.name.clone()).collect();
    let mut faults = Vec::new();
    let mut open = |split| -> Result<Album> {
        let mut album = Album::open(split, &classes, progress, &mut faults)?;
        album.verify(progress, &mut faults);
        Ok(album)
    };
    let (train, validation, test) = (open(train)?, validation.map(&mut open).transpose()?, open(test)?);
    let counts = Counts {
        train: train.counts(classes.len()),
        validation: validation.as_ref().map(|album| album.counts(classes.len())),
        test: test.counts(classes.len()),
    };
    let all: Vec<_> = [Some(&train), validation.as_ref(), Some(&test)]
        .into_iter()
        .flatten()
        .flat_map(|it| &it.pictures)
        .collect();
    let mut description = description::describe(folder, &classes, &counts, &origins);
    let wanted = Wanted::default();
    description.push(description::sizes(&all, shape_of(&all, wanted.size), wanted.resize));
    for (class, &count) in classes.iter().zip(&counts.train).filter(|(_, count)| (1..FEW).contains(*count)) {
        let pictures = if count == 1 { "picture" } else { "pictures" };
        warnings.push(format!("class {class} has only {count} training {pictures}"));
    }
    let refusal = check_counts(folder, &classes, &counts, &faults).err();
    let pictures = all.len() + faults.len();
    Ok(Verification {
        pictures,
        faults,
        classes,
        counts,
        origins,
        description,
        warnings,
        unread,
        others,
        refusal,
    })
}
