//! The folders in which data sets are searched, and the files that make up a set.
//!
//! ```
//! use std::path::Path;
//!
//! use shadegrad::data::locate::Search;
//!
//! let search = Search::from_environment(Some("my-data".into()));
//! assert_eq!(search.places(), [Path::new("my-data")]);
//! ```

use super::catalogue::{Catalogue, Form, Format, IDX_STEMS, KnownSet};
use super::cifar::Cifar;
use super::hash::fingerprint;
use crate::fs::user_cache;
use crate::remedy::Remedy;
use crate::{Error, ErrorKind, Result};
use std::io;
use std::path::{Path, PathBuf};

/// The environment variable that names a folder of data sets.
pub const ENVIRONMENT_VARIABLE: &str = "SHADEGRAD_DATA";

/// The folders in which known sets are searched. Each folder itself is searched, and its sub-folder
/// with the name of the set.
#[derive(Clone, Debug)]
pub struct Search {
    /// If set, no other folder is searched.
    pub data_dir: Option<PathBuf>,
    /// The value of the environment variable `SHADEGRAD_DATA`.
    pub environment: Option<PathBuf>,
    /// The user's cache, to which sets are downloaded.
    pub cache: Option<PathBuf>,
    /// The data that comes with shadegrad, then that of the system.
    pub shared: Vec<PathBuf>,
    /// The sets that can be found.
    pub catalogue: Catalogue,
}

/// The files of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Files {
    /// Training images and labels, test images and labels, as in [`IDX_STEMS`].
    Idx([PathBuf; 4]),
    /// A CIFAR archive.
    CifarArchive(&'static Cifar, PathBuf),
    /// A folder with CIFAR's `.bin` files.
    CifarFolder(&'static Cifar, PathBuf),
}

/// How much of a data set a folder holds.
pub(crate) enum Holding {
    /// All files.
    All(Files),
    /// Some files. The named file is missing.
    Part(String),
    /// No file.
    Nothing,
}

impl Search {
    /// Returns the folders of this machine. `data_dir` replaces all of them.
    pub fn from_environment(data_dir: Option<PathBuf>) -> Self {
        let cache = user_cache().map(|cache| cache.join("data"));
        let mut shared = vendored();
        shared.push(PathBuf::from("/usr/share/datasets"));
        Search {
            data_dir,
            environment: std::env::var_os(ENVIRONMENT_VARIABLE)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from),
            cache,
            shared,
            catalogue: Catalogue::built_in(),
        }
    }

    /// Returns the folders to search, in order.
    pub fn places(&self) -> Vec<&Path> {
        if let Some(data_dir) = &self.data_dir {
            return vec![data_dir];
        }
        self.environment.iter().chain(&self.cache).chain(&self.shared).map(PathBuf::as_path).collect()
    }

    /// Returns the files of `set` in the first folder that has all of them, or `None`.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] or [`ErrorKind::Io`] if a folder or file cannot be read.
    pub fn locate(&self, set: &KnownSet) -> Result<Option<Files>> {
        match self.locate_or_explain(set)? {
            Ok(files) => Ok(Some(files)),
            Err(_) => Ok(None),
        }
    }

    /// Like [`locate`](Search::locate), but returns an error that lists the folders if the set is
    /// not found.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] if the set is not found, and as [`locate`](Search::locate).
    pub fn require(&self, set: &KnownSet) -> Result<Files> {
        self.locate_or_explain(set)?.map_err(|places| {
            let places = if places.is_empty() {
                "there are no folders to search".to_owned()
            } else {
                format!("searched {}", places.join(", "))
            };
            let wanted = wanted(set.format);
            Error::data(format!("data set {} not found: {places} for {wanted}", set.name))
                .advise(Remedy::FetchData(set.name.clone()))
        })
    }

    /// Returns the folder to which `set` is downloaded.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if there is neither a [`data_dir`](Search::data_dir) nor a home folder.
    pub fn download_folder(&self, set: &KnownSet) -> Result<PathBuf> {
        let base = self.data_dir.as_ref().or(self.cache.as_ref());
        base.map(|base| base.join(&set.name)).ok_or_else(|| {
            Error::new(ErrorKind::Io, "cannot determine the user's cache folder")
                .advise(Remedy::settings("name a folder with {}", [("data-dir", "")]))
        })
    }

    /// Returns the known set that `files` holds, whatever it is called.
    ///
    /// All IDX sets have the same file names, so only the contents identify them. The training
    /// labels are small and sufficient.
    pub(crate) fn identify(&self, files: &Files) -> Result<Option<&KnownSet>> {
        let mut sets = self.catalogue.sets.iter();
        Ok(match files {
            Files::Idx(paths) => {
                let found = fingerprint(&paths[1], Form::Decompressed)?.sha256;
                sets.find(|set| {
                    let mut labels = set.files.iter();
                    labels.any(|file| file.name.starts_with(IDX_STEMS[1]) && file.sha256 == found)
                })
            }
            Files::CifarArchive(cifar, _) | Files::CifarFolder(cifar, _) => {
                sets.find(|set| set.format == Format::Cifar(cifar))
            }
        })
    }

    /// Returns the files, or a description of each folder that was searched in vain.
    fn locate_or_explain(&self, set: &KnownSet) -> Result<Result<Files, Vec<String>>> {
        let mut places = Vec::new();
        for place in self.places() {
            for folder in [place.join(&set.name), place.to_owned()] {
                let shown = folder.display();
                match holding(&folder, set.format)? {
                    Holding::Nothing => places.push(shown.to_string()),
                    Holding::Part(missing) => {
                        places.push(format!("{shown} (incomplete: no {missing})"));
                    }
                    Holding::All(files) => match self.identify(&files)? {
                        Some(other) if other.name != set.name => {
                            places.push(format!("{shown} (holds {})", other.name));
                        }
                        _ => return Ok(Ok(files)),
                    },
                }
            }
        }
        Ok(Err(places))
    }
}

impl Files {
    /// Returns all files, to be recorded with a run.
    pub fn paths(&self) -> Vec<PathBuf> {
        match self {
            Files::Idx(paths) => paths.to_vec(),
            Files::CifarArchive(_, archive) => vec![archive.clone()],
            Files::CifarFolder(cifar, folder) => cifar
                .image_files()
                .chain([cifar.names])
                .map(|file| folder.join(file))
                .filter(|path| path.exists())
                .collect(),
        }
    }
}

/// Returns `data/` next to the manifest that this program was built from if it still exists, else
/// `data/` in the current folder and next to the program.
fn vendored() -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    if source.is_dir() {
        return vec![source];
    }
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent).map(|folder| folder.join("data"));
    [PathBuf::from("data")].into_iter().chain(beside).collect()
}

/// Returns how much of a set with this format `folder` holds.
pub(crate) fn holding(folder: &Path, format: Format) -> Result<Holding> {
    match format {
        Format::Idx => idx_holding(folder),
        Format::Cifar(cifar) => cifar_holding(folder, cifar),
    }
}

fn idx_holding(folder: &Path) -> Result<Holding> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for stem in IDX_STEMS {
        match packed_or_plain(folder, stem)? {
            Some(path) => found.push(path),
            None => missing.push(stem.to_owned()),
        }
    }
    Ok(match (<[PathBuf; 4]>::try_from(found), missing.pop()) {
        (Ok(paths), _) => Holding::All(Files::Idx(paths)),
        (Err(found), Some(missing)) if !found.is_empty() => Holding::Part(missing),
        _ => Holding::Nothing,
    })
}

/// Returns the file called `stem`, compressed or not. Some programs unpack `x-idx3-ubyte` to
/// `x.idx3-ubyte`.
pub(crate) fn packed_or_plain(folder: &Path, stem: &str) -> Result<Option<PathBuf>> {
    let names = [format!("{stem}.gz"), stem.to_owned(), stem.replace("-idx", ".idx")];
    for name in names {
        let path = folder.join(name);
        if is_there(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Unpacked files are preferred because they need no decompression.
fn cifar_holding(folder: &Path, cifar: &'static Cifar) -> Result<Holding> {
    let mut incomplete = None;
    for folder in [folder.join(cifar.folder), folder.to_owned()] {
        let mut missing = Vec::new();
        for file in cifar.image_files() {
            if !is_there(&folder.join(file))? {
                missing.push(file);
            }
        }
        match missing.pop() {
            None => return Ok(Holding::All(Files::CifarFolder(cifar, folder))),
            Some(last) if missing.len() + 1 < cifar.image_files().count() => {
                incomplete = Some(last.to_owned());
            }
            Some(_) => {}
        }
    }
    let archive = folder.join(cifar.archive);
    if is_there(&archive)? {
        return Ok(Holding::All(Files::CifarArchive(cifar, archive)));
    }
    Ok(incomplete.map_or(Holding::Nothing, Holding::Part))
}

/// Whether something exists at `path`. If that cannot be determined, it is an error.
fn is_there(path: &Path) -> Result<bool> {
    match path.try_exists() {
        Ok(there) => Ok(there),
        Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(cause) => Err(Error::io(format_args!("look for {}", path.display()), &cause)),
    }
}

/// Lists the files that make up a set, for messages.
pub(crate) fn wanted(format: Format) -> String {
    match format {
        Format::Idx => format!("{} (each with or without .gz)", IDX_STEMS.join(", ")),
        Format::Cifar(cifar) => format!(
            "{}, or {} to {} in it or in {}/",
            cifar.archive, cifar.train[0], cifar.test, cifar.folder
        ),
    }
}
