//! The tree of files in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::endings::Kind;
use crate::data::source::unlike;
use crate::error::{Error, Result};

/// Files and folders that NAS devices, editors and operating systems create, in lower case. Names
/// with a leading dot are ignored as well.
const LEFT_BY_PROGRAMS: [&str; 14] = [
    "@eadir",
    "@recycle",
    "#recycle",
    "#snapshot",
    "@recently-snapshot",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "__macosx",
    "__pycache__",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
];

/// Maximum number of files to look at, in case someone names a whole disk.
const MOST_FILES: usize = 2_000_000;

/// Maximum depth at which links to folders are followed. The folder around the splits, the splits
/// and the classes may be links.
const LINKS_DEPTH: usize = 3;

/// A folder with all its contents except ignored files. All lists are sorted.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) is_link: bool,
    pub(super) folders: Vec<Folder>,
    /// Pictures in supported formats.
    pub(super) pictures: Vec<PathBuf>,
    /// Pictures in unsupported formats.
    pub(super) unread: Vec<PathBuf>,
    /// Files that are not pictures.
    pub(super) others: Vec<PathBuf>,
    /// Links to folders that are not followed, because they lead to a parent folder or are too
    /// deep.
    pub(super) links: Vec<PathBuf>,
}

/// The canonical location of a folder.
#[derive(Clone)]
struct Place {
    path: PathBuf,
    /// Locations of the links that were followed to it.
    by: Vec<PathBuf>,
    depth: usize,
}

impl Folder {
    /// Reads `path` and everything below it.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let real = path.canonicalize().map_err(|cause| unlisted(path, &cause))?;
        let mut files = 0;
        let root = Folder { path: path.into(), name: name_of(path), ..Folder::default() };
        root.filled(&Place { path: real, by: Vec::new(), depth: 0 }, &mut files)
    }

    fn filled(mut self, place: &Place, files: &mut usize) -> Result<Self> {
        for entry in fs::read_dir(&self.path).map_err(|cause| unlisted(&self.path, &cause))? {
            let entry = entry.map_err(|cause| unlisted(&self.path, &cause))?;
            let name = entry.file_name();
            let is_hidden = name.as_encoded_bytes().starts_with(b".");
            if is_hidden || LEFT_BY_PROGRAMS.contains(&&*name.to_string_lossy().to_lowercase()) {
                continue;
            }
            let path = entry.path();
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            // A broken link counts as a file. Reading it fails with its name.
            let is_folder = match is_link {
                true => fs::metadata(&path).is_ok_and(|metadata| metadata.is_dir()),
                false => entry.file_type().is_ok_and(|kind| kind.is_dir()),
            };
            if !is_folder {
                *files += 1;
                if *files > MOST_FILES {
                    return Err(too_many(&self.path));
                }
                match Kind::of(&path) {
                    Kind::Picture => self.pictures.push(path),
                    Kind::Unread => self.unread.push(path),
                    Kind::Other => self.others.push(path),
                }
                continue;
            }
            let below = if is_link { place.behind(&path) } else { Some(place.below(&name)) };
            match below {
                Some(below) => {
                    let folder = Folder { name: name_of(&path), path, is_link, ..Folder::default() };
                    self.folders.push(folder.filled(&below, files)?);
                }
                None => self.links.push(path),
            }
        }
        self.folders.sort_by(|one, other| one.name.cmp(&other.name));
        for paths in [&mut self.pictures, &mut self.unread, &mut self.others, &mut self.links] {
            paths.sort();
        }
        Ok(self)
    }

    /// Whether it or a folder below it contains pictures in any format.
    pub(super) fn has_pictures(&self) -> bool {
        self.has_own_pictures() || self.folders.iter().any(Folder::has_pictures)
    }

    /// Whether it directly contains pictures in any format.
    pub(super) fn has_own_pictures(&self) -> bool {
        !(self.pictures.is_empty() && self.unread.is_empty())
    }

    /// Returns the sub-folders that contain pictures at any depth. They are the classes if this is
    /// a folder of classes.
    pub(super) fn branches(&self) -> impl Iterator<Item = &Folder> {
        self.folders.iter().filter(|folder| folder.has_pictures())
    }

    /// Returns the sub-folder that contains all pictures, if there is one.
    pub(super) fn only_branch(&self) -> Option<&Folder> {
        let mut branches = self.branches();
        let first = branches.next()?;
        (branches.next().is_none() && !self.has_own_pictures()).then_some(first)
    }

    /// Returns this folder, then the only sub-folder of each one in turn.
    pub(super) fn and_only_branches(&self) -> impl Iterator<Item = &Folder> {
        std::iter::successors(Some(self), |folder| folder.only_branch())
    }

    /// Calls `visit` with this folder and all folders below it, except those behind a link.
    pub(super) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Folder)) {
        visit(self);
        for folder in self.folders.iter().filter(|folder| !folder.is_link) {
            folder.walk(visit);
        }
    }
}

impl Place {
    /// Returns the location of the sub-folder with this name.
    fn below(&self, name: &std::ffi::OsStr) -> Place {
        Place { path: self.path.join(name), by: self.by.clone(), depth: self.depth + 1 }
    }

    /// Resolves the link at `path` in this folder. Returns `None` if it is not to be followed.
    fn behind(&self, path: &Path) -> Option<Place> {
        let target = path.canonicalize().ok().filter(|_| self.depth < LINKS_DEPTH)?;
        let by: Vec<_> = self.by.iter().chain([&self.path]).cloned().collect();
        // The link forms a cycle.
        if by.iter().any(|folder| folder.starts_with(&target)) {
            return None;
        }
        Some(Place { path: target, by, depth: self.depth + 1 })
    }
}

fn too_many(folder: &Path) -> Error {
    unlike(folder.display(), format_args!("more than {MOST_FILES} files"), "the pictures of a data set")
        .advise("choose the folder that contains one sub-folder per class")
}

fn unlisted(folder: &Path, cause: &std::io::Error) -> Error {
    Error::io(format_args!("list {}", folder.display()), cause)
}

/// Returns the last part of a path.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
