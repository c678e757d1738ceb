//! The layout of an image folder: which files are pictures of which class and split.

use std::path::{Path, PathBuf};

use super::endings::Endings;
use super::name_list::list;
use super::splits::Splits;
use super::tree::Folder;
use crate::data::source::unlike;
use crate::error::Result;
use crate::text::sanitize::one_line;

/// The layout of an image folder.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The folder with the training pictures, or the one with all pictures. It has no classes if
    /// there are only validation or test pictures.
    pub(super) train: Part,
    pub(super) validation: Option<Part>,
    pub(super) test: Option<Part>,
    /// Warnings about files and folders that are ignored.
    pub(super) warnings: Vec<String>,
    /// Pictures in unsupported formats.
    pub(super) unread: Endings,
    /// Files that are not pictures.
    pub(super) others: Endings,
}

/// A folder with one sub-folder per class.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) folder: PathBuf,
    /// Sorted by name.
    pub(super) classes: Vec<Class>,
}

/// The folder of one class.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    /// Sorted. Empty if all pictures are in unsupported formats.
    pub(super) pictures: Vec<PathBuf>,
    /// Pictures in unsupported formats.
    pub(super) unread: Endings,
}

/// Returns the folders with pictures next to the path from `root` to `folder`.
fn beside_the_way(root: &Folder, folder: &Folder) -> Vec<PathBuf> {
    let mut others = Vec::new();
    let mut at = root;
    while at.path != folder.path {
        let (on, beside): (Vec<_>, Vec<_>) =
            at.branches().partition(|branch| folder.path.starts_with(&branch.path));
        others.extend(beside.into_iter().map(|branch| branch.path.clone()));
        let [next, ..] = on[..] else { break };
        at = next;
    }
    others
}

impl Layout {
    /// Iterates over the splits, or over the one part that has all pictures.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        [Some(&self.train), self.validation.as_ref(), self.test.as_ref()].into_iter().flatten()
    }

    pub(super) fn read_splits(
        &mut self,
        root: &Folder,
        splits: &Splits<'_>,
        known: Option<&[String]>,
    ) -> Result<()> {
        if let Some(train) = splits.train {
            self.train = self.part(train, known)?;
        }
        let own: Vec<_> = self.train.classes.iter().map(|class| class.name.clone()).collect();
        let classes = known.or((!own.is_empty()).then_some(&own));
        self.validation = splits.validation.map(|folder| self.part(folder, classes)).transpose()?;
        self.test = splits.test.map(|folder| self.part(folder, classes)).transpose()?;
        for folder in &splits.unlabelled {
            let shown = folder.path.display();
            self.say(format!("ignored: {shown}: its pictures are not in class folders"));
        }
        let mut others = beside_the_way(root, splits.around);
        others.extend(splits.others.iter().map(|folder| folder.path.clone()));
        self.leave(&others, &root.path, "a folder next to the splits", "folders next to the splits");
        Ok(())
    }

    /// Returns the classes in a folder, without those that have no pictures. A class whose name
    /// differs from one of `known` only in case is treated as that one.
    pub(super) fn part(&mut self, folder: &Folder, known: Option<&[String]>) -> Result<Part> {
        let (mut classes, mut renamed) = (Vec::new(), Vec::new());
        for below in &folder.folders {
            if below.name.contains(char::is_control) {
                let found = format_args!("a class folder called {:?}", below.name);
                return Err(unlike(folder.path.display(), found, "a name without control characters"));
            }
            let mut class = self.class(below);
            if let Some(name) = in_other_capitals(&class.name, known.unwrap_or_default()) {
                renamed.push(format!("{} for {name}", class.name));
                class.name = name.clone();
            }
            if class.pictures.is_empty() && class.unread.total() == 0 {
                let shown = class.folder.display();
                self.say(format!("ignored: {shown}: it contains no pictures"));
            } else {
                classes.push(class);
            }
        }
        let outside: Vec<_> = folder.pictures.iter().chain(&folder.unread).cloned().collect();
        let many = "pictures outside the class folders";
        self.leave(&outside, &folder.path, "a picture outside the class folders", many);
        self.leave_others(&folder.others, &folder.path);
        self.leave_links(&folder.links, &folder.path);
        if !renamed.is_empty() {
            let (shown, list) = (folder.path.display(), list(&renamed));
            self.say(format!("{shown}: classes matched in spite of different capitalisation: {list}"));
        }
        classes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Part { folder: folder.path.clone(), classes })
    }

    /// Returns all pictures in a class folder and its sub-folders. Links to folders in it are not
    /// followed.
    fn class(&mut self, folder: &Folder) -> Class {
        let mut class = Class { name: folder.name.clone(), folder: folder.path.clone(), ..Class::default() };
        let (mut others, mut links) = (Vec::new(), Vec::new());
        folder.walk(&mut |below| {
            class.pictures.extend_from_slice(&below.pictures);
            below.unread.iter().for_each(|path| class.unread.add(path));
            others.extend_from_slice(&below.others);
            links.extend_from_slice(&below.links);
            let linked = below.folders.iter().filter(|folder| folder.is_link);
            links.extend(linked.map(|folder| folder.path.clone()));
        });
        class.pictures.sort();
        self.unread.extend(&class.unread);
        self.leave_others(&others, &folder.path);
        self.leave_links(&links, &folder.path);
        class
    }

    /// Warns of classes whose names differ only in case, because they are often meant to be the
    /// same.
    pub(super) fn warn_of_capitals(&mut self) {
        let mut names: Vec<_> = self.train.classes.iter().map(|class| class.name.clone()).collect();
        names.sort_by_key(|name| name.to_lowercase());
        for same in names.chunk_by(|one, other| one.to_lowercase() == other.to_lowercase()) {
            if same.len() > 1 {
                let (folder, same) = (self.train.folder.display(), same.join(" and "));
                self.say(format!("{folder}: the names of classes {same} differ only in case"));
            }
        }
    }

    pub(super) fn warn_of_unread(&mut self) {
        let (count, list) = (self.unread.total(), self.unread.list());
        let warning = match count {
            0 => return,
            1 => format!("ignored: 1 picture in an unsupported format ({list}); convert it to PNG or JPEG"),
            _ => format!(
                "ignored: {count} pictures in unsupported formats ({list}); convert them to PNG or JPEG"
            ),
        };
        self.say(warning);
    }

    fn leave_others(&mut self, paths: &[PathBuf], folder: &Path) {
        paths.iter().for_each(|path| self.others.add(path));
        self.leave(paths, folder, "not a PNG or JPEG image", "files that are not PNG or JPEG images");
    }

    fn leave_links(&mut self, paths: &[PathBuf], folder: &Path) {
        self.leave(paths, folder, "a link to a folder, not followed", "links to folders, not followed");
    }

    /// Adds a warning that `paths` are ignored.
    fn leave(&mut self, paths: &[PathBuf], folder: &Path, one: &str, many: &str) {
        let Some(first) = paths.iter().min() else { return };
        let (shown, first) = (folder.display(), first.display());
        self.say(match paths.len() {
            1 => format!("ignored: {first}: {one}"),
            count => format!("ignored: {shown}: {count} {many}, such as {first}"),
        });
    }

    /// Adds a warning. It is sanitized, because file names can contain anything.
    fn say(&mut self, warning: String) {
        self.warnings.push(one_line(&warning, 1000));
    }
}

/// Returns the only class in `known` that differs from `name` in nothing but case.
fn in_other_capitals<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let mut same = known.iter().filter(|class| class.to_lowercase() == name.to_lowercase());
    let only = same.next()?;
    (same.next().is_none() && only != name).then_some(only)
}
