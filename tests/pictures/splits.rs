//! Detection of splits and classes.

use shadegrad::data::pictures::Wanted;
use shadegrad::data::{Dataset, Split};

use crate::pictures::album::Album;
use crate::samples::data_sets::expect_data_error;

/// Folders with the classes red and blue in each of these splits, with 3 and 4 pictures, 5 and 6,
/// and so on.
fn with_splits(splits: &[&str]) -> Album {
    let album = Album::new();
    for (index, split) in splits.iter().enumerate() {
        album.fill(&format!("{split}/red"), 3 + 2 * index);
        album.fill(&format!("{split}/blue"), 4 + 2 * index);
    }
    album
}

/// Returns the number of blue and of red images.
fn per_class(split: &Split) -> [usize; 2] {
    [0, 1].map(|class| split.labels.iter().filter(|&&label| label == class).count())
}

#[track_caller]
fn expect_splits(dataset: &Dataset, validation: Option<[usize; 2]>, test: [usize; 2]) {
    assert_eq!(dataset.classes, ["blue", "red"]);
    assert_eq!(per_class(&dataset.train), [4, 3], "{:?}", dataset.description);
    assert_eq!(dataset.validation.as_ref().map(per_class), validation, "{:?}", dataset.description);
    assert_eq!(per_class(&dataset.test), test, "{:?}", dataset.description);
}

#[track_caller]
fn expect_description(album: &Album, dataset: &Dataset, parts: &[&str]) {
    let description = dataset.description.as_ref().unwrap();
    for part in parts {
        let part = part.replace("SET", album.path().to_str().unwrap());
        assert!(description.contains(&part), "no {part:?} in {description}");
    }
}

#[test]
fn splits_are_found_under_the_names_people_use() {
    for [train, validation, test] in [
        ["train", "val", "test"],
        ["Train", "Valid", "Test"],
        ["TRAINING", "VALIDATION", "TESTING"],
        ["training", "validation", "evaluation"],
        ["train_images", "val_images", "test_images"],
        ["images-train", "images-val", "images-test"],
        ["train2017", "val2017", "test2017"],
        ["trainingSet", "devSet", "testSet"],
        ["01 train", "02 dev", "03 holdout"],
        ["flowers-train", "flowers-valid", "flowers-test"],
        ["x_train_a", "x_val_b", "c_test"],
        ["seg_train/seg_train", "seg_val/seg_val", "seg_test/seg_test"],
        ["trainval", "val", "test"],
    ] {
        let album = with_splits(&[train, validation, test]);
        let dataset = album.loaded();
        expect_splits(&dataset, Some([6, 5]), [8, 7]);
        assert_eq!(dataset.warnings, [""; 0], "{train}");
        assert_eq!(dataset.files.len(), 7 + 11 + 15);
        let files = [&dataset.train, dataset.validation.as_ref().unwrap(), &dataset.test];
        assert!(files.iter().all(|split| split.files.len() == split.len()));
    }
}

#[test]
fn splits_may_lie_under_more_folders() {
    for around in ["images", "archive/data"] {
        let album = with_splits(&[&format!("{around}/Train"), &format!("{around}/Val")]);
        album.write("README.txt", "x");
        let dataset = album.loaded();
        expect_splits(&dataset, None, [6, 5]);
        let train = format!("training: 7 pictures in SET/{around}/Train; testing: 11 in SET/{around}/Val");
        expect_description(&album, &dataset, &[&train]);
        // There are unrelated pictures next to the splits.
        album.fill("docs/figures", 2);
        let dataset = album.loaded();
        expect_splits(&dataset, None, [6, 5]);
        assert!(dataset.warnings.iter().any(|it| it.contains("docs: a folder next to the splits")));
    }
}

#[test]
fn what_is_tested_with_is_said() {
    let dataset = |splits: &[&str]| {
        let album = with_splits(splits);
        let dataset = album.loaded();
        (album, dataset)
    };
    let (album, three) = dataset(&["train", "val", "test"]);
    expect_splits(&three, Some([6, 5]), [8, 7]);
    let line = "training: 7 pictures in SET/train; validation: 11 in SET/val; testing: 15 in SET/test\n";
    expect_description(&album, &three, &["SET: 2 classes with 3 to 4 training pictures (1 : 1.3)", line]);
    let (album, without_test) = dataset(&["train", "valid"]);
    expect_splits(&without_test, None, [6, 5]);
    expect_description(&album, &without_test, &["testing: 11 in SET/valid, because there is no test folder"]);
    let (album, without_validation) = dataset(&["train", "eval"]);
    expect_splits(&without_validation, None, [6, 5]);
    expect_description(&album, &without_validation, &["; testing: 11 in SET/eval\n"]);
    let (album, alone) = dataset(&["train"]);
    assert_eq!([&alone.train, &alone.test].map(per_class), [[3, 2], [1, 1]]);
    expect_description(
        &album,
        &alone,
        &["training: 5 pictures in SET/train; testing: 2 more, 20 % of each class, held out because"],
    );
}

#[test]
fn of_several_folders_the_plainest_name_is_taken_and_the_others_are_named() {
    let album = with_splits(&["train", "val", "test", "old", "train_small", "test2"]);
    let dataset = album.loaded();
    expect_splits(&dataset, Some([6, 5]), [8, 7]);
    let [warning] = &dataset.warnings[..] else { panic!("{:?}", dataset.warnings) };
    assert!(warning.contains(": 3 folders next to the splits, such as "), "{warning}");
}

#[test]
fn classes_may_be_called_as_splits() {
    for classes in [
        vec!["car", "test", "train"],
        vec!["daisy", "test"],
        vec!["invalid", "valid"],
        vec!["boots", "training-shoes/2024", "training-shoes/2025"],
        vec!["test-tubes/large", "test-tubes/small", "training-shoes/2024", "training-shoes/2025"],
        vec!["devices", "trains", "validity"],
    ] {
        let folders: Vec<_> = classes.iter().map(|class| (*class, 5)).collect();
        let dataset = Album::of(&folders).loaded();
        let mut names: Vec<_> = classes.iter().filter_map(|class| class.split('/').next()).collect();
        names.dedup();
        assert_eq!(dataset.classes, names);
        assert_eq!((dataset.warnings.len(), dataset.validation), (0, None));
    }
}

#[test]
fn test_pictures_without_classes_are_left_out_with_a_warning() {
    for unlabelled in ["test", "test/images", "Test_images", "val/unknown", "test1/test1"] {
        for train in ["train", "train_images"] {
            let album = with_splits(&[train]);
            album.fill(unlabelled, 9);
            let dataset = album.loaded();
            assert_eq!(dataset.classes, ["blue", "red"]);
            assert_eq!([&dataset.train, &dataset.test].map(per_class), [[3, 2], [1, 1]], "{unlabelled}");
            let [warning] = &dataset.warnings[..] else { panic!("{:?}", dataset.warnings) };
            let ending = ": its pictures are not in class folders";
            assert!(warning.starts_with("ignored: ") && warning.ends_with(ending), "{warning}");
        }
    }
}

#[test]
fn capitals_do_not_keep_splits_apart() {
    let album = with_splits(&["train"]);
    for (class, count) in [("RED", 5), ("Blue", 6)] {
        album.fill(&format!("test/{class}"), count);
    }
    let dataset = album.loaded();
    expect_splits(&dataset, None, [6, 5]);
    let [warning] = &dataset.warnings[..] else { panic!("{:?}", dataset.warnings) };
    assert!(
        warning.ends_with("in spite of different capitalisation: Blue for blue, RED for red"),
        "{warning}"
    );
}

#[test]
fn what_systems_and_programs_leave_is_no_class() {
    let album = Album::of(&[("red", 5), ("blue", 5)]);
    let junk = ["@eaDir", "__MACOSX", "#recycle", "$RECYCLE.BIN", ".ipynb_checkpoints", "lost+found"];
    for name in junk {
        album.fill(&format!("{name}/red"), 2);
        album.fill(&format!("red/{name}/a.jpg"), 2);
    }
    for name in ["Thumbs.db", "red/Thumbs.db", "blue/desktop.ini", "blue/.DS_Store"] {
        album.write(name, "x");
    }
    let dataset = album.loaded();
    assert_eq!((dataset.classes.len(), dataset.files.len(), dataset.warnings.len()), (2, 10, 0));
}

#[test]
fn a_model_is_tried_on_some_of_its_classes_wherever_they_lie() {
    let classes = ["blue", "green", "red"].map(String::from);
    let wanted = Wanted { classes: Some(classes.into()), ..Wanted::default() };
    let red = |folders: &[(&str, usize)]| {
        let album = Album::of(folders);
        let dataset = album.load(&wanted).unwrap_or_else(|error| panic!("{folders:?}: {error}"));
        let splits = [Some(&dataset.train), dataset.validation.as_ref(), Some(&dataset.test)];
        let all = splits.map(|split| split.map_or(0, Split::len));
        let labels = splits.into_iter().flatten().flat_map(|split| &split.labels);
        assert!(labels.into_iter().all(|&label| label == 2), "{folders:?}");
        all
    };
    assert_eq!(red(&[("red", 10)]), [8, 0, 2]);
    assert_eq!(red(&[("set/flowers/red", 10)]), [8, 0, 2]);
    assert_eq!(red(&[("test/red", 10)]), [0, 0, 10]);
    assert_eq!(red(&[("set/test/RED", 10)]), [0, 0, 10]);
    assert_eq!(red(&[("val/red", 10), ("test/red", 4)]), [0, 10, 4]);
    assert_eq!(red(&[("train/red", 3), ("val/red", 10), ("test/red", 4)]), [3, 10, 4]);
    expect_data_error(Album::of(&[("pink", 3)]).load(&wanted), &["a class pink", "one of blue, green, red"]);
    expect_data_error(
        Album::of(&[("set/pink", 3)]).load(&wanted),
        &["a class set", "one of blue, green, red"],
    );
    // The classes of a model take precedence over the interpretation of names.
    let classes = ["test", "train"].map(String::from);
    let wanted = Wanted { classes: Some(classes.into()), ..Wanted::default() };
    let dataset = Album::of(&[("train", 5), ("test", 5)]).load(&wanted).unwrap();
    assert_eq!((dataset.train.len(), dataset.test.len()), (8, 2));
}

#[test]
fn validation_pictures_that_cannot_be_read_are_no_split() {
    let album = with_splits(&["train", "test"]);
    album.write("val/red/a.png", "no picture");
    let dataset = album.loaded();
    expect_splits(&dataset, None, [6, 5]);
    assert!(dataset.warnings.iter().any(|it| it.contains("val/red/a.png")), "{:?}", dataset.warnings);
}

#[test]
fn a_run_that_recorded_no_validation_files_gets_none() {
    let album = with_splits(&["train", "val", "test"]);
    let all = album.loaded();
    assert_eq!(all.clone().as_recorded(all.files.len()), all);
    let without = all.clone().as_recorded(all.files.len() - 11);
    assert_eq!((without.validation, without.files.len()), (None, 7 + 15));
    assert_eq!((&without.train, &without.test), (&all.train, &all.test));
    // Any other number of files means another data set, which other checks detect.
    assert_eq!(all.clone().as_recorded(5), all);
}
