//! Loads a [`Dataset`] from a name or a folder.
//!
//! ```no_run
//! use shadegrad::data::load::load;
//! use shadegrad::data::locate::Search;
//! use shadegrad::data::pictures::Wanted;
//!
//! let dataset = load("fashion-mnist", &Search::from_environment(None), &Wanted::default())?;
//! println!("{} training images", dataset.train.len());
//! # Ok::<(), shadegrad::Error>(())
//! ```

use super::catalogue::{Catalogue, Format, KnownSet};
use super::cifar::{self, CIFAR_10, CIFAR_100};
use super::locate::{Files, Holding, Search, holding, wanted as wanted_files};
use super::pictures::{self, Size, Wanted};
use super::source::unlike;
use super::{Dataset, ImageShape, Split, idx};
use crate::text::suggest::nearest;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The formats that are tried for a folder, the most specific file names first.
static FOLDER_FORMATS: [Format; 3] = [Format::Idx, Format::Cifar(&CIFAR_10), Format::Cifar(&CIFAR_100)];

/// Loads the known set called `name_or_folder`, or the contents of the folder with that path: IDX
/// files, CIFAR files or folders of pictures. Pictures are loaded as `wanted` says. (`./mnist` is a
/// folder even though `mnist` is a name.)
///
/// Never downloads; see [`load_or_fetch`](super::fetch::load_or_fetch).
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) if there is no such set or its files are damaged,
/// [`ErrorKind::Io`](crate::ErrorKind::Io) if they cannot be read.
pub fn load(name_or_folder: &str, search: &Search, wanted: &Wanted) -> Result<Dataset> {
    if let Some(set) = search.catalogue.find(name_or_folder) {
        let files = search.require(set)?;
        return load_known(set, &files).and_then(|dataset| check_size(dataset, wanted));
    }
    let path = Path::new(name_or_folder);
    if path.is_dir() {
        return load_folder(path, search, wanted);
    }
    if path.exists() {
        return Err(unlike(path.display(), "a file", "a data set's name or a folder"));
    }
    Err(unknown(name_or_folder, search))
}

/// Returns the error for a name that is neither a known set nor a folder.
pub(crate) fn unknown(name: &str, search: &Search) -> Error {
    let error = Error::data(format!(
        "no data set and no folder is called {name:?}; known sets: {}",
        search.catalogue.names()
    ));
    match nearest(name, search.catalogue.sets.iter().map(|set| set.name.as_str())) {
        Some(known) => error.advise(format!("did you mean `{known}`?")),
        None => error.advise("name a known set or an existing folder"),
    }
}

/// Loads a known set from the files that [`Search::locate`] found.
pub(crate) fn load_known(set: &KnownSet, files: &Files) -> Result<Dataset> {
    let contents = read(files, Some(set.class_count))?;
    let paths = files.paths();
    for (split, expected, what) in
        [(&contents.train, set.train_images, "training"), (&contents.test, set.test_images, "test")]
    {
        if split.len() != expected {
            let found = format_args!("{} {what} images", split.len());
            let expected = format_args!("the {expected} of {}", set.name);
            return Err(unlike(paths[0].display(), found, expected));
        }
    }
    Ok(contents.into_dataset(set.name.clone(), Some(set), paths))
}

/// Fails if `wanted` asks for another size, because only pictures can be resized.
fn check_size(dataset: Dataset, wanted: &Wanted) -> Result<Dataset> {
    let ImageShape { height, width, .. } = dataset.shape;
    match wanted.size {
        Size::Side(side) if (height, width) != (side, side) => {
            let message = format!("the images of {} have {height}x{width}", dataset.name);
            Err(Error::setting("image-size", side.to_string(), message)
                .advise("remove it: only image folders are resized"))
        }
        _ => Ok(dataset),
    }
}

/// Whether [`load`] would treat the name or path as a folder of pictures. A folder that cannot be
/// read counts as none, because loading it reports why.
pub(crate) fn is_folder_of_pictures(name_or_folder: &str, catalogue: &Catalogue) -> bool {
    let path = Path::new(name_or_folder);
    catalogue.find(name_or_folder).is_none() && path.is_dir() && is_of_pictures(path).unwrap_or(false)
}

/// Whether a folder holds pictures, and not the files of a data set.
pub(crate) fn is_of_pictures(folder: &Path) -> Result<bool> {
    for format in FOLDER_FORMATS {
        if !matches!(holding(folder, format)?, Holding::Nothing) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Loads the contents of `folder`. The folder's name becomes the name of the data set.
fn load_folder(folder: &Path, search: &Search, wanted: &Wanted) -> Result<Dataset> {
    let mut complaint = None;
    for format in FOLDER_FORMATS {
        match holding(folder, format)? {
            Holding::All(files) => {
                let known = search.identify(&files)?;
                let contents = read(&files, known.map(|set| set.class_count))?;
                let dataset = contents.into_dataset(folder_name(folder), known, files.paths());
                return check_size(dataset, wanted);
            }
            Holding::Part(missing) => complaint = Some(format!("no {missing}")),
            Holding::Nothing => {}
        }
    }
    match complaint {
        None => pictures::load(folder, folder_name(folder), wanted),
        Some(found) => {
            let [idx, cifar_10, cifar_100] = FOLDER_FORMATS.map(wanted_files);
            let expected = format_args!("{idx}; or {cifar_10}; or {cifar_100}");
            Err(unlike(folder.display(), found, expected))
        }
    }
}

/// Returns the folder's own name, also for `.` and `..`.
fn folder_name(folder: &Path) -> String {
    let absolute = folder.canonicalize();
    let name = absolute.as_deref().unwrap_or(folder).file_name();
    name.map_or_else(|| "data".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The contents of the files.
struct Contents {
    shape: ImageShape,
    classes: Option<Vec<String>>,
    train: Split,
    test: Split,
}

impl Contents {
    /// Builds the data set. Class names come from the files, else from the known set, else they are
    /// numbers.
    fn into_dataset(self, name: String, known: Option<&KnownSet>, files: Vec<PathBuf>) -> Dataset {
        let built_in = known.map(|set| set.classes.clone());
        let highest = self.train.labels.iter().chain(&self.test.labels).max();
        let counted = highest.map_or(0, |&label| label as usize + 1);
        let count = known.map_or(counted, |set| set.class_count);
        let classes = self
            .classes
            .or_else(|| built_in.filter(|names| names.len() == count))
            .unwrap_or_else(|| (0..count).map(|class| class.to_string()).collect());
        let Contents { shape, train, test, .. } = self;
        Dataset { name, shape, classes, train, test, files, ..Dataset::default() }
    }
}

/// Reads both splits, in parallel if the files allow it. `classes` limits the labels for formats
/// that do not limit them themselves.
fn read(files: &Files, classes: Option<usize>) -> Result<Contents> {
    let cifar = match files {
        Files::Idx(paths) => return read_idx(paths, classes),
        Files::CifarArchive(cifar, archive) => cifar.read_archive(archive)?,
        Files::CifarFolder(cifar, folder) => cifar.read_folder(folder)?,
    };
    Ok(Contents { shape: cifar::SHAPE, classes: cifar.classes, train: cifar.train, test: cifar.test })
}

fn read_idx(paths: &[PathBuf; 4], classes: Option<usize>) -> Result<Contents> {
    let [train_images, train_labels, test_images, test_labels] = paths;
    let (train, test) = rayon::join(
        || idx::read_split(train_images, train_labels, classes),
        || idx::read_split(test_images, test_labels, classes),
    );
    let ((shape, train), (test_shape, test)) = (train?, test?);
    if test_shape != shape {
        let side = |shape: ImageShape| format!("images of {}x{}", shape.height, shape.width);
        let expected = format_args!("{} as in {}", side(shape), train_images.display());
        return Err(unlike(test_images.display(), side(test_shape), expected));
    }
    Ok(Contents { shape, classes: None, train, test })
}
