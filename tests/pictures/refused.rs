//! Folders that cannot be trained on: the errors, and the suggestions for what was meant.

use shadegrad::data::pictures::{Wanted, verify};

use crate::pictures::album::{Album, grey, png};
use crate::samples::data_sets::expect_data_error;

fn album(folders: &[&str]) -> Album {
    Album::of(&folders.iter().map(|folder| (*folder, 3)).collect::<Vec<_>>())
}

/// Asserts that training and `verify` reject the folder with these parts in the message and in the
/// advice.
#[track_caller]
fn refused(album: &Album, parts: &[&str], advice: &str) {
    let with_path = |part: &str| part.replace("SET", album.path().to_str().unwrap());
    let error = album.load(&Wanted::default()).expect_err("it is refused");
    assert!(error.advice().is_some_and(|found| found.contains(&with_path(advice))), "{error:?}");
    let parts: Vec<_> = parts.iter().map(|part| with_path(part)).collect();
    expect_data_error::<()>(Err(error.clone()), &parts.iter().map(String::as_str).collect::<Vec<_>>());
    let verified = verify(album.path(), false).map(|found| found.refusal);
    assert_eq!(verified.unwrap_or_else(Some), Some(error));
}

#[test]
fn one_class_is_refused_by_name() {
    refused(&album(&["daisy"]), &["SET: found only one class, daisy"], "into the folder of its class");
    let empty = album(&["daisy"]);
    empty.write("rose/notes.txt", "x");
    refused(&empty, &["only one class, daisy", "rose/notes.txt"], "into the folder of its class");
    let train = album(&["train/daisy", "test/daisy"]);
    refused(&train, &["SET/train: found only one class, daisy"], "into the folder of its class");
}

#[test]
fn one_folder_too_many_is_refused_with_the_one_that_was_meant() {
    for (folder, class) in [("flowers", "flowers"), ("archive/flowers", "archive"), ("a/b/c", "a")] {
        let album = album(&[&format!("{folder}/red"), &format!("{folder}/blue")]);
        let class = format!("found only one class, {class}");
        let advice = format!("if the classes are blue, red, use data = SET/{folder}");
        refused(&album, &["SET: ", &class], &advice);
    }
    let inside = album(&["train/flowers/red", "train/flowers/blue", "test/flowers/red"]);
    let advice = "move them from SET/train/flowers to SET/train";
    refused(&inside, &["SET/train", "only one class, flowers"], advice);
}

#[test]
fn many_classes_in_a_message_are_shortened() {
    let folders: Vec<_> = (0..25).map(|class| format!("all/class{class:02}")).collect();
    let album = album(&folders.iter().map(String::as_str).collect::<Vec<_>>());
    refused(&album, &["only one class, all"], "class08, class09 and 15 more, use data = SET/all");
}

#[test]
fn classes_without_a_picture_that_can_be_read_are_named() {
    let album = album(&["red"]);
    for name in ["green/a.png", "blue/b.jpg", "blue/c.jpg"] {
        album.write(name, "no picture");
    }
    refused(&album, &["no training pictures of blue, green", "(SET/blue/"], "move the folders");
}

#[test]
fn a_class_in_a_format_that_is_not_read_is_not_dropped() {
    let album = album(&["red", "blue"]);
    album.write("green/a.webp", "x");
    album.write("green/deeper/b.WEBP", "x");
    album.write("green/c.heic", "x");
    album.write("red/d.bmp", "x");
    let found = "SET/green: found 3 pictures in unsupported formats (2 .webp, 1 .heic)";
    refused(&album, &[found], "convert them to PNG or JPEG");
}

#[test]
fn splits_under_unknown_names_are_refused() {
    let parts = album(&["part1/red", "part1/blue", "part2/red", "part2/blue", "part2/green"]);
    refused(
        &parts,
        &["SET: found the same folders (blue, red) in each of part1, part2"],
        "rename part1, part2 to train, val or test, or train on one of them: data = SET/part1",
    );
    let inside = album(&["red/train", "red/test", "blue/train", "blue/test"]);
    refused(&inside, &["(test, train) in each of blue, red"], "SET/test/blue");
    // A single common sub-folder, or pictures next to the sub-folders, are common in class folders.
    for folders in [["red/images", "blue/images"], ["red/old", "blue/new"]] {
        assert_eq!(album(&folders).loaded().classes, ["blue", "red"]);
    }
    let beside = album(&["red/old", "red/new", "blue/old", "blue/new", "blue"]);
    assert_eq!(beside.loaded().classes, ["blue", "red"]);
}

#[test]
fn splits_without_classes_are_refused() {
    for folders in [["train", "test"], ["images/train", "images/val"], ["Training_images", "valid"]] {
        refused(&album(&folders), &["no class folders in "], "into the folder of its class, for example");
    }
}

#[test]
fn splits_without_one_to_train_on_are_refused() {
    refused(&album(&["test/red", "test/blue"]), &["no training pictures", "SET/test"], "rename");
    let two = album(&["set/val/red", "set/Test/red"]);
    refused(&two, &["only those in SET/set/val and SET/set/Test"], "to train");
}

#[test]
fn several_data_sets_are_not_mixed() {
    let sets = ["cats/train/a", "cats/train/b", "cats/test/a", "dogs/train/a", "dogs/test/a"];
    refused(&album(&sets), &["SET: found splits in each of cats, dogs"], "data = SET/cats");
}

#[test]
fn verify_counts_and_warns_without_refusing() {
    let album = album(&["train/red", "train/blue", "val/red", "val/blue", "test/red"]);
    for index in 0..9 {
        album.write(&format!("train/blue/more{index}.png"), png(grey(5, 4, index)));
    }
    for name in ["a.webp", "b.webp", "c.tif"] {
        album.write(&format!("train/red/{name}"), "x");
    }
    album.write("train/red/notes.txt", "x");
    album.write("val/red/broken.png", "x");
    let found = verify(album.path(), false).unwrap();
    assert_eq!((found.pictures, found.faults.len(), found.refusal), (25, 1, None));
    assert_eq!(found.classes, ["blue", "red"]);
    assert_eq!((found.counts.train, found.counts.test), (vec![12, 3], vec![0, 3]));
    assert_eq!(found.counts.validation, Some(vec![3, 3]));
    assert_eq!((found.unread.list(), found.others.list()), ("2 .webp, 1 .tif".into(), "1 .txt".into()));
    let warnings = found.warnings.join("\n");
    for part in
        ["3 pictures in unsupported formats (2 .webp, 1 .tif)", "class red has only 3 training pictures"]
    {
        assert!(warnings.contains(part), "no {part:?} in {warnings}");
    }
    let loaded = album.loaded();
    assert!(loaded.warnings.iter().any(|it| it.contains("(2 .webp, 1 .tif); convert them to PNG or JPEG")));
    assert_eq!(loaded.description.unwrap(), found.description.join("\n"));
}

#[test]
fn classes_that_differ_in_capitals_only_are_said() {
    let dataset = album(&["Red", "red", "blue", "RED"]).loaded();
    assert_eq!(dataset.classes, ["RED", "Red", "blue", "red"]);
    let [warning] = &dataset.warnings[..] else { panic!("{:?}", dataset.warnings) };
    assert!(warning.ends_with("the names of classes RED and Red and red differ only in case"), "{warning}");
}
