//! Division of pictures into training, validation and test splits.
//!
//! If there are no separate test pictures, a fifth of each class is held out by a hash of the file
//! name. The same pictures are held out in every run, whatever its seed, so that runs can be
//! compared. Adding a picture moves few of the others.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::layout::{Class, Part};

/// One in this many pictures is held out for testing.
const ONE_OF: usize = 5;

/// The pictures of each split, class by class, and their origins.
#[derive(Debug)]
pub(super) struct Division {
    pub(super) train: Vec<Class>,
    pub(super) validation: Option<Vec<Class>>,
    pub(super) test: Vec<Class>,
    pub(super) origins: Origins,
}

/// Where the splits of a data set come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    /// The folder with the training pictures.
    pub train: PathBuf,
    /// The folder with the validation pictures, unless they are used for testing.
    pub validation: Option<PathBuf>,
    /// The origin of the test pictures.
    pub test: TestOrigin,
}

/// The origin of the test pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOrigin {
    /// The test folder.
    Test(PathBuf),
    /// The validation folder, because there is no test folder.
    Validation(PathBuf),
    /// A fifth of each class is held out from the training pictures.
    HeldOut,
}

impl Division {
    /// Without test pictures, the validation pictures are used for testing. Without either, some
    /// training pictures are held out.
    pub(super) fn of(train: Part, validation: Option<Part>, test: Option<Part>) -> Self {
        let (validation, test, origin) = match (validation, test) {
            (validation, Some(test)) => {
                let origin = TestOrigin::Test(test.folder.clone());
                (validation, Some(test), origin)
            }
            (Some(validation), None) => {
                let origin = TestOrigin::Validation(validation.folder.clone());
                (None, Some(validation), origin)
            }
            (None, None) => (None, None, TestOrigin::HeldOut),
        };
        let origins = Origins {
            train: train.folder,
            validation: validation.as_ref().map(|part| part.folder.clone()),
            test: origin,
        };
        let (train, test) = match test {
            Some(test) => (train.classes, test.classes),
            None => train.classes.into_iter().map(divide_class).unzip(),
        };
        Division { train, validation: validation.map(|part| part.classes), test, origins }
    }
}

fn divide_class(class: Class) -> (Class, Class) {
    let (train, test) = divide(class.pictures);
    let part = |pictures| Class {
        name: class.name.clone(),
        folder: class.folder.clone(),
        unread: class.unread.clone(),
        pictures,
    };
    (part(train), part(test))
}

/// Divides the pictures of a class into training and test pictures, each in their original order. A
/// class with at least two pictures has some of both.
fn divide(pictures: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let mut by_hash: Vec<_> = pictures.iter().map(|picture| (hash(picture), picture)).collect();
    by_hash.sort();
    let kept = match pictures.len() {
        0 | 1 => 0,
        count => (count / ONE_OF).max(1),
    };
    let mut test: Vec<_> = by_hash.into_iter().take(kept).map(|(_, picture)| picture.clone()).collect();
    test.sort();
    let train = pictures.into_iter().filter(|picture| test.binary_search(picture).is_err()).collect();
    (train, test)
}

/// Hashes the file name only, because the folder may be moved.
fn hash(picture: &Path) -> [u8; 32] {
    let name = picture.file_name().unwrap_or_default();
    Sha256::digest(name.to_string_lossy().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(count: usize) -> Vec<PathBuf> {
        (0..count).map(|index| format!("class/{index:04}.png").into()).collect()
    }

    #[test]
    fn every_class_with_two_pictures_or_more_has_both() {
        for (count, kept) in [(0, 0), (1, 0), (2, 1), (4, 1), (5, 1), (9, 1), (10, 2), (1000, 200)] {
            let all = pictures(count);
            let (train, test) = divide(all.clone());
            assert_eq!((train.len(), test.len()), (count - kept, kept));
            let mut both = [train, test].concat();
            both.sort();
            assert_eq!(both, all);
        }
    }

    #[test]
    fn the_folder_does_not_matter_and_new_pictures_move_few() {
        let (_, test) = divide(pictures(1000));
        let elsewhere = pictures(1000).iter().map(|picture| PathBuf::from("x/y").join(picture)).collect();
        let (_, moved) = divide(elsewhere);
        assert!(test.iter().zip(&moved).all(|(one, other)| other.ends_with(one)));
        let (_, grown) = divide(pictures(1010));
        let stayed = test.iter().filter(|picture| grown.contains(picture)).count();
        assert!(stayed >= 190, "{stayed} of 200");
    }
}
