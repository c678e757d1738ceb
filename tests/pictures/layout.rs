//! Assignment of files to classes and splits.

use shadegrad::ErrorKind;
use shadegrad::data::pictures::{Size, Wanted, verify};
use shadegrad::data::{Dataset, ImageShape, Split};

use crate::pictures::album::{Album, colour, grey, png};
use crate::samples::data_sets::expect_data_error;

/// Returns the number of training and test images of each class.
fn counts(dataset: &Dataset) -> Vec<(&str, usize, usize)> {
    let of = |labels: &[u32], class: usize| labels.iter().filter(|&&label| label as usize == class).count();
    let classes = dataset.classes.iter().enumerate();
    classes
        .map(|(class, name)| {
            (name.as_str(), of(&dataset.train.labels, class), of(&dataset.test.labels, class))
        })
        .collect()
}

#[test]
fn a_folder_for_each_class_is_enough() {
    let album = Album::of(&[("rose", 10), ("Tulpe", 2), ("daisy", 5), ("图片", 4)]);
    let dataset = album.loaded();
    assert_eq!(counts(&dataset), [("Tulpe", 1, 1), ("daisy", 4, 1), ("rose", 8, 2), ("图片", 3, 1)]);
    assert_eq!(dataset.shape, ImageShape { channels: 1, height: 4, width: 5 });
    assert_eq!(dataset.files.len(), 21);
    assert_eq!(dataset.warnings, [""; 0]);
    let description = dataset.description.unwrap();
    let folder = album.path().display();
    let expected = format!(
        "{folder}: 4 classes with 1 to 8 training pictures (1 : 8.0): Tulpe (1), daisy (4), rose (8), 图片 (3)\n\
         training: 16 pictures in {folder}; testing: 5 more, 20 % of each class, held out because there is \
         no test folder\n\
         21 pictures of 5x4, kept at 5x4 grey"
    );
    assert_eq!(description, expected);
}

#[test]
fn what_is_not_used_is_named_and_hidden_files_are_not() {
    let album = Album::of(&[("cat", 5), ("dog", 5)]);
    for name in ["cat/.DS_Store", "cat/._000.png", ".git/x.png", "cat/.cache/y.png", ".hidden.png"] {
        album.write(name, "no picture");
    }
    album.write("cat/notes.txt", "x");
    album.write("cat/labels.csv", "x");
    album.write("stray.png", png(grey(5, 4, 0)));
    album.write("README", "x");
    album.write("none/list.csv", "x");
    std::fs::create_dir(album.path().join("empty")).unwrap();
    let dataset = album.loaded();
    assert_eq!(counts(&dataset), [("cat", 4, 1), ("dog", 4, 1)]);
    let mut warnings = dataset.warnings.join("\n");
    for part in [
        "cat: 2 files that are not PNG or JPEG images, such as ",
        "stray.png: a picture outside the class folders",
        "README: not a PNG or JPEG image",
        "none/list.csv: not a PNG or JPEG image",
        "none: it contains no pictures",
        "empty: it contains no pictures",
    ] {
        assert!(warnings.contains(part), "no {part:?} in\n{warnings}");
        warnings = warnings.replacen(part, "", 1);
    }
    assert_eq!(dataset.warnings.len(), 6, "{warnings}");
    assert!(dataset.warnings.iter().all(|warning| warning.starts_with("ignored: ")), "{warnings}");
}

#[test]
fn every_picture_that_cannot_be_read_is_named() {
    let album = Album::of(&[("cat", 5), ("dog", 5)]);
    album.write("cat/broken.png", "no picture");
    album.write("cat/broken.jpeg", [0xff, 0xd8, 0xff]);
    let whole = png(colour(40, 30));
    album.write("cat/cut.PNG", &whole[..whole.len() / 2]);
    let dataset = album.loaded();
    assert_eq!(counts(&dataset), [("cat", 4, 1), ("dog", 4, 1)]);
    assert_eq!(dataset.warnings.len(), 3, "{:?}", dataset.warnings);
    for name in ["broken.png", "broken.jpeg", "cut.PNG"] {
        let names = |warning: &&String| warning.starts_with("ignored: ") && warning.contains(name);
        assert_eq!(dataset.warnings.iter().filter(names).count(), 1, "{name}: {:?}", dataset.warnings);
        assert!(dataset.files.iter().all(|file| !file.ends_with(name)));
    }
    let found = verify(album.path(), false).unwrap();
    assert_eq!((found.pictures, found.faults.len(), found.refusal), (13, 3, None));
}

#[test]
fn pictures_may_lie_deeper_in_their_class() {
    let album = Album::of(&[("cat/2024/home", 3), ("cat/2025", 2), ("dog", 5)]);
    assert_eq!(counts(&album.loaded()), [("cat", 4, 1), ("dog", 4, 1)]);
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_a_circle_are_not_followed() {
    use std::os::unix::fs::symlink;
    let album = Album::of(&[("cat", 5), ("dog", 5)]);
    for name in ["cat/again", "cat/once_more", "again"] {
        symlink(album.path(), album.path().join(name)).unwrap();
    }
    symlink(".", album.path().join("here")).unwrap();
    symlink("cat", album.path().join("dog/other")).unwrap();
    symlink(album.path().join("nowhere"), album.path().join("cat/gone.png")).unwrap();
    let dataset = album.loaded();
    assert_eq!(counts(&dataset), [("cat", 4, 1), ("dog", 4, 1)]);
    let warnings = dataset.warnings.join("\n");
    let folder = album.path().display();
    for part in [
        format!("{folder}/cat: 2 links to folders, not followed, such as {folder}/cat/again"),
        format!("{folder}: 2 links to folders, not followed, such as {folder}/again"),
        "gone.png".into(),
    ] {
        assert!(warnings.contains(&part), "no {part:?} in {warnings}");
    }
}

/// Data sets are often composed of links to other folders.
#[cfg(unix)]
#[test]
fn splits_and_classes_may_be_links() {
    use std::os::unix::fs::symlink;
    let (elsewhere, album) = (Album::new(), Album::new());
    for class in ["one/cat", "two/dog", "test/cat", "test/dog"] {
        elsewhere.fill(class, 3);
    }
    std::fs::create_dir(album.path().join("train")).unwrap();
    for (link, target) in [("train/cat", "one/cat"), ("train/dog", "two/dog"), ("test", "test")] {
        symlink(elsewhere.path().join(target), album.path().join(link)).unwrap();
    }
    let dataset = album.loaded();
    assert_eq!((counts(&dataset), dataset.warnings.len()), (vec![("cat", 3, 3), ("dog", 3, 3)], 0));
}

#[test]
fn a_folder_without_classes_is_refused_with_what_was_found() {
    let album = Album::new();
    let wanted = Wanted::default();
    let parts = ["found an empty folder", "one for each class", "train/", "MNIST"];
    expect_data_error(album.load(&wanted), &parts);
    album.write("a.png", png(grey(5, 4, 0)));
    let parts = ["a.png: a picture outside the class folders", "one for each class"];
    expect_data_error(album.load(&wanted), &parts);
    album.write("b.webp", "");
    expect_data_error(album.load(&wanted), &["2 pictures outside the class folders"]);
    let album = Album::new();
    std::fs::create_dir_all(album.path().join("cats")).unwrap();
    expect_data_error(album.load(&wanted), &["no class with pictures", "cats"]);
}

#[cfg(unix)]
#[test]
fn a_name_that_a_terminal_would_obey_is_refused() {
    let album = Album::new();
    album.fill("cat\u{1b}[31m", 5);
    album.fill("dog", 5);
    let error = album.load(&Wanted::default()).unwrap_err();
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
    expect_data_error::<()>(Err(error), &["a name without control characters"]);
}

#[test]
fn a_class_without_a_usable_picture_is_refused() {
    let album = Album::new();
    album.fill("cat", 5);
    album.write("dog/a.png", "no picture");
    album.write("dog/b.png", "no picture");
    expect_data_error(album.load(&Wanted::default()), &["no training pictures of dog", "/dog/"]);
}

#[test]
fn without_a_picture_to_test_with_nothing_is_trained() {
    let album = Album::of(&[("cat", 1), ("dog", 1)]);
    expect_data_error(album.load(&Wanted::default()), &["no test pictures"]);
}

#[test]
fn a_class_that_is_only_tested_is_refused() {
    let album = Album::new();
    for class in ["train/ant", "train/cat", "test/cat", "test/dog"] {
        album.fill(class, 3);
    }
    expect_data_error(album.load(&Wanted::default()), &["a class dog", "one of ant, cat"]);
}

#[test]
fn a_models_classes_and_shape_go_before_the_folders() {
    let album = Album::new();
    album.fill("dog", 5);
    let classes = ["ant", "dog", "eel"].map(String::from);
    let shape = ImageShape { channels: 3, height: 2, width: 9 };
    let wanted = Wanted { size: Size::Exactly(shape), classes: Some(classes.into()), ..Wanted::default() };
    let dataset = album.load(&wanted).unwrap();
    assert_eq!((dataset.shape, dataset.train.images.len()), (shape, 4 * 54));
    assert_eq!(counts(&dataset), [("ant", 0, 0), ("dog", 4, 1), ("eel", 0, 0)]);
    album.fill("fox", 5);
    expect_data_error(album.load(&wanted), &["fox", "a class fox", "one of ant, dog, eel"]);
}

#[test]
fn the_same_pictures_are_tested_with_wherever_the_folder_lies() {
    let [one, other] = [(); 2].map(|()| Album::of(&[("cat", 50), ("dog", 50)]).loaded());
    for (one, other) in [(&one.test, &other.test), (&one.train, &other.train)] {
        assert_eq!((&one.images, &one.labels), (&other.images, &other.labels));
        let names = |split: &Split| {
            split.files.iter().map(|file| file.file_name().map(ToOwned::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(names(one), names(other));
    }
}

#[test]
fn sizes_that_make_no_sense_are_mistakes_of_usage() {
    let album = Album::of(&[("cat", 5), ("dog", 5)]);
    for side in [0, 4097, usize::MAX] {
        let error = album.load(&Wanted { size: Size::Side(side), ..Wanted::default() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
}

/// File names are printed, and a terminal interprets control characters.
#[cfg(unix)]
#[test]
fn names_in_warnings_are_plain_text() {
    let album = Album::of(&[("cat", 12), ("dog", 12)]);
    album.write("cat/\u{1b}[31mred\n.txt", "");
    album.write("cat/bell\u{7}.png", "no picture");
    let dataset = album.loaded();
    assert_eq!(dataset.warnings.len(), 2);
    for (warning, part) in dataset.warnings.iter().zip(["\\u{1b}[31mred\\n.txt", "bell\\u{7}.png"]) {
        assert!(!warning.contains(char::is_control) && warning.contains(part), "{warning:?}");
    }
}
