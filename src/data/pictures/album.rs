//! The pictures of one split. Headers are read first, then the pictures are decoded in parallel.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use rayon::prelude::*;

use super::decode::{self, Outline};
use super::layout::Class;
use super::{Resize, Wanted};
use crate::data::source::unlike;
use crate::data::{ImageShape, Split};
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// Maximum size of a split's images in bytes.
const MOST_BYTES: usize = 8 << 30;

/// Number of pictures that are decoded before they are appended. Only these are in memory twice.
const AT_ONCE: usize = 1024;

/// A picture file, its class, and the properties from its header.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) path: PathBuf,
    pub(super) label: u32,
    pub(super) outline: Outline,
}

/// A picture file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Path of the file.
    pub path: PathBuf,
    /// The error message, which contains the path.
    pub message: String,
}

impl Fault {
    fn new(path: PathBuf, error: &Error) -> Self {
        Fault { path, message: error.to_string() }
    }
}

/// The pictures with readable headers, class by class.
#[derive(Debug)]
pub(super) struct Album {
    pub(super) pictures: Vec<Picture>,
}

impl Album {
    /// Reads the headers of all pictures. Unreadable ones are skipped and added to `faults`.
    pub(super) fn open(
        classes: Vec<Class>,
        names: &[String],
        progress: bool,
        faults: &mut Vec<Fault>,
    ) -> Result<Self> {
        let mut files = Vec::new();
        for class in classes {
            let label = names.iter().position(|name| *name == class.name).ok_or_else(|| {
                let found = format_args!("a class {}", class.name);
                unlike(class.folder.display(), found, format_args!("one of {}", names.join(", ")))
                    .advise("move that folder away, or rename it to its class in training")
            })?;
            files.extend(class.pictures.into_iter().map(|path| (path, label as u32)));
        }
        let bar = bar("reading picture headers", files.len(), progress);
        let look = |(path, label): (PathBuf, u32)| {
            bar.inc(1);
            match decode::outline(&path) {
                Ok(outline) => Ok(Picture { path, label, outline }),
                Err(error) => Err(Fault::new(path, &error)),
            }
        };
        let looked: Vec<_> = files.into_par_iter().map(look).collect();
        Ok(Album { pictures: keep(looked, faults).collect() })
    }

    pub(super) fn counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for picture in &self.pictures {
            counts[picture.label as usize] += 1;
        }
        counts
    }

    /// Decodes all pictures in their original size. Those that fail are removed and added to
    /// `faults`.
    pub(super) fn verify(&mut self, progress: bool, faults: &mut Vec<Fault>) {
        let bar = bar("decoding pictures", self.pictures.len(), progress);
        let decode = |picture: Picture| {
            bar.inc(1);
            let Outline { height, width, .. } = picture.outline;
            let shape = ImageShape { channels: 3, height, width };
            match decode::decode(&picture.path, shape, Resize::Refuse) {
                Ok(_) => Ok(picture),
                Err(error) => Err(Fault::new(picture.path, &error)),
            }
        };
        let pictures = std::mem::take(&mut self.pictures);
        let decoded: Vec<_> = pictures.into_par_iter().map(decode).collect();
        self.pictures = keep(decoded, faults).collect();
    }

    /// Decodes all pictures into a split. Those that fail are removed and added to `faults`.
    pub(super) fn decode(
        &mut self,
        shape: ImageShape,
        wanted: &Wanted,
        faults: &mut Vec<Fault>,
    ) -> Result<Split> {
        let bytes = self.pictures.len().saturating_mul(shape.pixels());
        if bytes > MOST_BYTES {
            let (count, bytes, most) = (self.pictures.len(), bytes >> 20, MOST_BYTES >> 20);
            return Err(Error::data(format!(
                "{count} images take {bytes} MiB, more than the {most} possible"
            ))
            .advise(Remedy::settings("use a smaller {}", [("image-size", "")])));
        }
        let mut split = Split { images: Vec::with_capacity(bytes), ..Split::default() };
        let mut decoded = Vec::with_capacity(self.pictures.len());
        let bar = bar("decoding pictures", self.pictures.len(), wanted.progress);
        for some in self.pictures.chunks(AT_ONCE) {
            let decode = |picture: &Picture| {
                bar.inc(1);
                match decode::decode(&picture.path, shape, wanted.resize) {
                    Ok(bytes) => Ok((picture.clone(), bytes)),
                    Err(error) => Err(Fault::new(picture.path.clone(), &error)),
                }
            };
            let results: Vec<_> = some.par_iter().map(decode).collect();
            for (picture, bytes) in keep(results, faults) {
                split.images.extend(bytes);
                split.labels.push(picture.label);
                decoded.push(picture);
            }
        }
        split.files = decoded.iter().map(|picture| picture.path.clone()).collect();
        self.pictures = decoded;
        Ok(split)
    }
}

/// Creates a progress bar on stderr. It is only drawn on a terminal.
fn bar(message: &'static str, count: usize, progress: bool) -> ProgressBar {
    if !progress {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}");
    ProgressBar::new(count as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(message)
        .with_finish(ProgressFinish::AndClear)
}

/// Returns the successful results and adds the failures to `faults`.
fn keep<T>(results: Vec<Result<T, Fault>>, faults: &mut Vec<Fault>) -> impl Iterator<Item = T> {
    results.into_iter().filter_map(|result| result.map_err(|fault| faults.push(fault)).ok())
}

/// Returns height and width if they are the same for all pictures.
pub(super) fn common_size(pictures: &[&Picture]) -> Option<(usize, usize)> {
    let mut sizes = pictures.iter().map(|picture| (picture.outline.height, picture.outline.width));
    let first = sizes.next()?;
    sizes.all(|size| size == first).then_some(first)
}
