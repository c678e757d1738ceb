//! Which files in a folder are pictures of which class, and in which split.

use std::path::{Path, PathBuf};

use super::endings::Endings;
use super::name_list::list;
use super::splits::Splits;
use super::tree::Folder;
use crate::data::source::unlike;
use crate::error::Result;
use crate::text::sanitize::one_line;

/// What was found in a folder.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The folder of the training pictures, or the one with all pictures; without classes where
    /// there are only pictures to validate or test with.
    pub(super) train: Part,
    pub(super) validation: Option<Part>,
    pub(super) test: Option<Part>,
    /// What lies around and is not used, in words.
    pub(super) warnings: Vec<String>,
    /// Pictures in formats that are not read.
    pub(super) unread: Endings,
    /// Files that are no pictures.
    pub(super) others: Endings,
}

/// A folder with a folder for each class.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) folder: PathBuf,
    /// Sorted by name.
    pub(super) classes: Vec<Class>,
}

/// A class's folder.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    /// Sorted; none where all are in formats that are not read.
    pub(super) pictures: Vec<PathBuf>,
    /// Pictures in formats that are not read.
    pub(super) unread: Endings,
}

/// The folders with pictures that lie beside the way from `root` to `folder`.
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
    /// The splits, or all pictures as one.
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
            self.say(format!("not used: {shown}: its pictures are not in folders of the classes"));
        }
        let mut others = beside_the_way(root, splits.around);
        others.extend(splits.others.iter().map(|folder| folder.path.clone()));
        self.leave(&others, &root.path, "a folder beside the splits", "folders beside the splits");
        Ok(())
    }

    /// The classes in a folder, those without a picture left out. A class that differs from one of
    /// `known` in capitals only is taken for that one.
    pub(super) fn part(&mut self, folder: &Folder, known: Option<&[String]>) -> Result<Part> {
        let (mut classes, mut renamed) = (Vec::new(), Vec::new());
        for below in &folder.folders {
            if below.name.contains(char::is_control) {
                let found = format_args!("a class's folder called {:?}", below.name);
                return Err(unlike(folder.path.display(), found, "a name that is plain text"));
            }
            let mut class = self.class(below);
            if let Some(name) = in_other_capitals(&class.name, known.unwrap_or_default()) {
                renamed.push(format!("{} for {name}", class.name));
                class.name = name.clone();
            }
            if class.pictures.is_empty() && class.unread.total() == 0 {
                let shown = class.folder.display();
                self.say(format!("not used: {shown}: no pictures in it, so it is not a class"));
            } else {
                classes.push(class);
            }
        }
        let outside: Vec<_> = folder.pictures.iter().chain(&folder.unread).cloned().collect();
        let many = "pictures outside of the class folders";
        self.leave(&outside, &folder.path, "a picture outside of the class folders", many);
        self.leave_others(&folder.others, &folder.path);
        self.leave_links(&folder.links, &folder.path);
        if !renamed.is_empty() {
            let (shown, list) = (folder.path.display(), list(&renamed));
            self.say(format!("{shown}: classes are understood in other capitals: {list}"));
        }
        classes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Part { folder: folder.path.clone(), classes })
    }

    /// All pictures of a class's folder and those below. Links to folders in it are not followed.
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

    /// Classes are often meant to be the same where only their capitals differ.
    pub(super) fn warn_of_capitals(&mut self) {
        let mut names: Vec<_> = self.train.classes.iter().map(|class| class.name.clone()).collect();
        names.sort_by_key(|name| name.to_lowercase());
        for same in names.chunk_by(|one, other| one.to_lowercase() == other.to_lowercase()) {
            if same.len() > 1 {
                let (folder, same) = (self.train.folder.display(), same.join(" and "));
                self.say(format!("{folder}: the classes {same} differ in capitals only"));
            }
        }
    }

    pub(super) fn warn_of_unread(&mut self) {
        let (count, list) = (self.unread.total(), self.unread.list());
        let warning = match count {
            0 => return,
            1 => format!(
                "not used: 1 picture in a format that is not read ({list}); convert it to PNG or JPEG"
            ),
            _ => format!(
                "not used: {count} pictures in formats that are not read ({list}); convert them to PNG or JPEG"
            ),
        };
        self.say(warning);
    }

    fn leave_others(&mut self, paths: &[PathBuf], folder: &Path) {
        paths.iter().for_each(|path| self.others.add(path));
        self.leave(paths, folder, "not a picture", "files that are not pictures");
    }

    fn leave_links(&mut self, paths: &[PathBuf], folder: &Path) {
        self.leave(paths, folder, "a link to a folder, not followed", "links to folders, not followed");
    }

    /// Remembers that `paths` are not used.
    fn leave(&mut self, paths: &[PathBuf], folder: &Path, one: &str, many: &str) {
        let Some(first) = paths.iter().min() else { return };
        let (shown, first) = (folder.display(), first.display());
        self.say(match paths.len() {
            1 => format!("not used: {first}: {one}"),
            count => format!("not used: {shown}: {count} {many}, such as {first}"),
        });
    }

    /// Names of files can be anything.
    fn say(&mut self, warning: String) {
        self.warnings.push(one_line(&warning, 1000));
    }
}

/// The one class of `known` that differs from this name in capitals only.
fn in_other_capitals<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let mut same = known.iter().filter(|class| class.to_lowercase() == name.to_lowercase());
    let only = same.next()?;
    (same.next().is_none() && only != name).then_some(only)
}
