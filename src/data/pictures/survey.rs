//! Finds the splits and classes in a folder, and rejects a folder that is probably the wrong one.

use std::path::Path;

use super::layout::Layout;
use super::splits::{self, Splits};
use super::tree::Folder;
use super::wrong_folder;
use crate::error::Result;

/// Finds the pictures in `folder`. `known` are the classes of a model to be evaluated on them;
/// there may be pictures of only some of its classes.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) if there are no class folders, only one, or folders
/// that cannot be classes. [`ErrorKind::Io`](crate::ErrorKind::Io) if a folder cannot be listed.
pub(super) fn survey(folder: &Path, known: Option<&[String]>) -> Result<Layout> {
    let root = Folder::read(folder)?;
    let mut layout = Layout::default();
    match find_splits(&root, known)? {
        Some(splits) => layout.read_splits(&root, &splits, known)?,
        None => {
            if known.is_none() {
                wrong_folder::check_sub_folders(&root)?;
            }
            layout.train = layout.part(folder_of_classes(&root, known), known)?;
        }
    }
    wrong_folder::check_classes(&root, &layout, known)?;
    layout.warn_of_capitals();
    layout.warn_of_unread();
    Ok(layout)
}

/// Finds the splits in `root`, in a chain of single sub-folders, or in one of several sub-folders.
fn find_splits<'a>(root: &'a Folder, known: Option<&[String]>) -> Result<Option<Splits<'a>>> {
    let mut last = root;
    for folder in root.and_only_branches() {
        if let Some(splits) = splits::find(folder, known) {
            return Ok(Some(splits));
        }
        if known.is_none() {
            wrong_folder::check_splits_without_classes(folder)?;
        }
        last = folder;
    }
    let below =
        |branch: &'a Folder| branch.and_only_branches().find_map(|folder| splits::find(folder, known));
    // A single folder named like a split is no evidence here, because it may be a class.
    let mut found: Vec<_> = last.branches().filter_map(below).filter(Splits::are_several).collect();
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(wrong_folder::several_sets(root, &found)),
    }
}

/// Returns `root`, unless the classes of a model are further down in a chain of single sub-folders.
fn folder_of_classes<'a>(root: &'a Folder, known: Option<&[String]>) -> &'a Folder {
    let known = known.unwrap_or_default();
    let has_known = |folder: &&Folder| folder.branches().any(|class| known.contains(&class.name));
    root.and_only_branches().find(has_known).unwrap_or(root)
}
