//! Which files in a folder are pictures of which class.

use std::fs;
use std::path::{Path, PathBuf};

use crate::data::source::unlike;
use crate::error::{Error, Result};
use crate::plain::one_line;

/// How the names of picture files end, in small letters or capitals.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];

/// The folder of training pictures, where they are apart from the others.
const TRAIN: &str = "train";

/// The folder of test pictures: the first of these that is there.
const TEST: [&str; 4] = ["test", "val", "valid", "validation"];

/// The most files that a class's folder may hold: somebody may name a whole disk.
const MOST_FILES: usize = 2_000_000;

/// What was found in a folder.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Pictures to train on, class by class; also those to test with where there is no folder of them.
    pub(super) train: Vec<Class>,
    /// Pictures to test with, and the name of their folder.
    pub(super) test: Option<(String, Vec<Class>)>,
    /// What lies around and is not used, in words.
    pub(super) unused: Vec<String>,
}

/// A class's folder.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    /// Sorted.
    pub(super) pictures: Vec<PathBuf>,
}

/// What lies directly in a folder. Names with a leading dot are left out.
struct Contents {
    folders: Vec<PathBuf>,
    pictures: Vec<PathBuf>,
    /// Files that are no pictures.
    others: Vec<PathBuf>,
}

/// Looks for pictures in `folder`.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data), with what was found, where there is no class's folder
/// with pictures; [`ErrorKind::Io`](crate::ErrorKind::Io) where a folder cannot be listed.
pub(super) fn survey(folder: &Path) -> Result<Layout> {
    let contents = list(folder)?;
    let mut layout = Layout::default();
    match train_folder(&contents)? {
        None => layout.train = layout.classes(folder, contents)?,
        Some(train) => {
            layout.train = layout.classes(&train, list(&train)?)?;
            let named = |name: &&str| contents.folders.iter().find(|folder| folder.ends_with(name));
            if let Some(test) = TEST.iter().find_map(named) {
                layout.test = Some((name_of(test), layout.classes(test, list(test)?)?));
            }
            let test = layout.test.as_ref().map(|(name, _)| name.as_str());
            let is_other = |folder: &&PathBuf| !folder.ends_with(TRAIN) && Some(&*name_of(folder)) != test;
            let others: Vec<_> = contents.folders.iter().filter(is_other).cloned().collect();
            layout.leave(&others, folder, "folder beside train/", "folders beside train/");
        }
    }
    if layout.train.is_empty() {
        return Err(nothing(folder, &layout));
    }
    Ok(layout)
}

/// The folder of training pictures. One that has pictures, but no folders in it, is a class of its own:
/// pictures of trains.
fn train_folder(contents: &Contents) -> Result<Option<PathBuf>> {
    let Some(train) = contents.folders.iter().find(|folder| folder.ends_with(TRAIN)) else {
        return Ok(None);
    };
    let has_classes = !list(train)?.folders.is_empty();
    Ok(has_classes.then(|| train.clone()))
}

impl Layout {
    /// The classes in a folder, sorted by name, those without a picture left out.
    fn classes(&mut self, folder: &Path, contents: Contents) -> Result<Vec<Class>> {
        let mut classes = Vec::new();
        for path in contents.folders {
            let mut class = Class { name: name_of(&path), folder: path, pictures: Vec::new() };
            if class.name.contains(char::is_control) {
                let found = format_args!("a class's folder called {:?}", class.name);
                return Err(unlike(folder.display(), found, "a name that is plain text"));
            }
            let mut others = Vec::new();
            collect(&class.folder, &mut class.pictures, &mut others)?;
            class.pictures.sort();
            self.leave(&others, &class.folder, "file that is no picture", "files that are no pictures");
            if class.pictures.is_empty() {
                let shown = class.folder.display();
                self.say(format!("not used: {shown}: no pictures in it, so it is no class"));
            } else {
                classes.push(class);
            }
        }
        self.leave(&contents.pictures, folder, "picture outside of a class", "pictures outside of a class");
        self.leave(&contents.others, folder, "file that is no picture", "files that are no pictures");
        classes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(classes)
    }

    /// Remembers that `paths` are not used.
    fn leave(&mut self, paths: &[PathBuf], folder: &Path, one: &str, many: &str) {
        let Some(first) = paths.iter().min() else { return };
        let (shown, first) = (folder.display(), first.display());
        self.say(match paths.len() {
            1 => format!("not used: {first}: a {one}"),
            count => format!("not used: {shown}: {count} {many}, such as {first}"),
        });
    }

    /// Names of files can be anything.
    fn say(&mut self, unused: String) {
        self.unused.push(one_line(&unused, 1000));
    }
}

fn nothing(folder: &Path, layout: &Layout) -> Error {
    let found = match layout.unused.first() {
        None => "an empty folder".into(),
        Some(first) => format!("no class with pictures ({first})"),
    };
    unlike(folder.display(), found, expected()).advise("put each picture into the folder of its class")
}

fn expected() -> String {
    let [test, ..] = TEST;
    let endings = ENDINGS.join(", .");
    format!(
        "folders of .{endings} files, one for each class, in it or in {TRAIN}/ and {test}/ in it; \
         or the files of MNIST or CIFAR"
    )
}

fn list(folder: &Path) -> Result<Contents> {
    let failed = |cause: &std::io::Error| Error::io(format_args!("look into {}", folder.display()), cause);
    let mut contents = Contents { folders: Vec::new(), pictures: Vec::new(), others: Vec::new() };
    for entry in fs::read_dir(folder).map_err(|cause| failed(&cause))? {
        let entry = entry.map_err(|cause| failed(&cause))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        // Follows links. What leads nowhere counts as a file, whose reading then fails with its name.
        let is_folder = fs::metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        let kind = match (is_folder, is_picture(&path)) {
            (true, _) => &mut contents.folders,
            (false, true) => &mut contents.pictures,
            (false, false) => &mut contents.others,
        };
        kind.push(path);
    }
    Ok(contents)
}

/// All files below a class's folder. Links to folders are not followed, so that none leads round in a
/// circle.
fn collect(folder: &Path, pictures: &mut Vec<PathBuf>, others: &mut Vec<PathBuf>) -> Result<()> {
    let mut contents = list(folder)?;
    pictures.append(&mut contents.pictures);
    others.append(&mut contents.others);
    if pictures.len() + others.len() > MOST_FILES {
        let found = format_args!("more than {MOST_FILES} files");
        return Err(unlike(folder.display(), found, "the pictures of a class")
            .advise("is this the right folder? Name the one that has a folder for each class"));
    }
    for below in contents.folders {
        if below.is_symlink() {
            others.push(below);
        } else {
            collect(&below, pictures, others)?;
        }
    }
    Ok(())
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
