//! Errors for folders that are probably not the ones the user meant, with suggestions.

use super::name_list::list;
use std::path::Path;

use super::layout::{Layout, Part};
use super::split_names::SplitName;
use super::splits::{self, Splits};
use super::tree::Folder;
use crate::data::source::unlike;
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// Rejects folders that are all named like splits but contain no class folders.
pub(super) fn check_splits_without_classes(folder: &Folder) -> Result<()> {
    let Some(names) = splits::without_classes(folder) else { return Ok(()) };
    let (first, shown) = (names[0], folder.path.display());
    let found = format_args!("no class folders in {}", list(&names));
    let error = unlike(shown, found, "one folder per class in each of them");
    Err(error.advise(format!("put each picture into the folder of its class, for example {first}/CLASS/")))
}

/// Rejects folders that all contain the same sub-folders: splits with unknown names, or classes
/// that contain splits.
pub(super) fn check_sub_folders(root: &Folder) -> Result<()> {
    let folders: Vec<_> = root.branches().collect();
    let [first, others @ ..] = &folders[..] else { return Ok(()) };
    let is_in_all =
        |name: &&str| others.iter().all(|other| other.branches().any(|below| below.name == *name));
    let same: Vec<_> = first.branches().map(|below| below.name.as_str()).filter(is_in_all).collect();
    if others.is_empty() || same.len() < 2 || folders.iter().any(|folder| folder.has_own_pictures()) {
        return Ok(());
    }
    let names: Vec<_> = folders.iter().map(|folder| folder.name.as_str()).collect();
    let found = format_args!("the same folders ({}) in each of {}", list(&same), list(&names));
    let error = unlike(root.path.display(), found, "classes, or the splits train/, val/ and test/");
    let shown = root.path.display();
    let advice = if same.iter().all(|name| SplitName::of(name).is_some()) {
        let [split, class] = [same[0], names[0]];
        format!("move the class folders into the folders of the splits: {shown}/{split}/{class}").into()
    } else {
        Remedy::settings(
            format!(
                "rename {} to train, val or test, or train on one of them: {{}}; if they are the classes, \
                 move their pictures up into them",
                list(&names)
            ),
            [("data", first.path.display().to_string())],
        )
    };
    Err(error.advise(advice))
}

pub(super) fn several_sets(root: &Folder, found: &[Splits<'_>]) -> Error {
    let names: Vec<_> = found.iter().map(|splits| splits.around.name.as_str()).collect();
    let found_text = format_args!("splits in each of {}", list(&names));
    let first = found[0].around.path.display().to_string();
    unlike(root.path.display(), found_text, "one data set")
        .advise(Remedy::settings("train on one of them, for example {}", [("data", first)]))
}

/// Rejects a folder without classes, with a single class, or with a class that has no readable
/// picture. With the `known` classes of a model, any picture is sufficient.
pub(super) fn check_classes(root: &Folder, layout: &Layout, known: Option<&[String]>) -> Result<()> {
    if layout.parts().all(|part| part.classes.is_empty()) {
        return Err(nothing(root, layout));
    }
    if known.is_some() {
        return Ok(());
    }
    let Part { folder, classes } = &layout.train;
    if classes.is_empty() {
        let splits: Vec<_> = layout.parts().skip(1).map(|part| shown(&part.folder)).collect();
        let found = format!("no training pictures, only those in {}", splits.join(" and "));
        let expected = "a folder train/ with one sub-folder per class";
        return Err(unlike(root.path.display(), found, expected)
            .advise("rename the folder of the training pictures to train"));
    }
    if let [class] = &classes[..] {
        let reason = layout.warnings.first().map(|warning| format!(" ({warning})")).unwrap_or_default();
        let found = format!("only one class, {}{reason}", class.name);
        let error = unlike(folder.display(), found, "two or more");
        return Err(match meant(root, &class.folder) {
            Some(meant) if *folder == root.path => {
                let (path, names) = (meant.path.display(), names(meant));
                let sentence = format!("if the classes are {names}, use {{}}");
                error.advise(Remedy::settings(sentence, [("data", path.to_string())]))
            }
            Some(meant) => {
                let (path, names) = (meant.path.display(), names(meant));
                error.advise(format!(
                    "if the classes are {names}, move them from {path} to {}",
                    folder.display()
                ))
            }
            None => error.advise("put each picture into the folder of its class"),
        });
    }
    match classes.iter().find(|class| class.pictures.is_empty()) {
        None => Ok(()),
        Some(class) => {
            let (count, list) = (class.unread.total(), class.unread.list());
            let pictures = if count == 1 { "picture" } else { "pictures" };
            let found = format!("{count} {pictures} in unsupported formats ({list})");
            Err(unlike(class.folder.display(), found, "some PNG or JPEG files in each class")
                .advise("convert them to PNG or JPEG, or move the folder away"))
        }
    }
}

/// Returns the folder below the one at `path` whose sub-folders look like classes.
fn meant<'a>(root: &'a Folder, path: &Path) -> Option<&'a Folder> {
    let mut folder = root;
    while folder.path != path {
        folder = folder.folders.iter().find(|below| path.starts_with(&below.path))?;
    }
    folder = folder.and_only_branches().last()?;
    (!folder.has_own_pictures() && folder.branches().count() > 1).then_some(folder)
}

fn nothing(root: &Folder, layout: &Layout) -> Error {
    let found = match layout.warnings.first() {
        None => "an empty folder".into(),
        Some(first) => format!("no class with pictures ({first})"),
    };
    let expected = "folders of PNG or JPEG files, one for each class, in it or in train/ and test/ in it; \
                    or the files of MNIST or CIFAR";
    unlike(root.path.display(), found, expected).advise("put each picture into the folder of its class")
}

fn names(folder: &Folder) -> String {
    list(&folder.branches().map(|below| below.name.as_str()).collect::<Vec<_>>())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
