//! Folders of pictures in common layouts: the first lines of a run, and its exit code.

use std::path::Path;

use image::{GrayImage, Luma};
use serde_json::json;

use crate::cli::support::{Outcome, Sandbox, fine};

/// Creates pictures in the folder `set`: names of folders, each with a number of pictures.
fn sandbox(folders: &[(&str, usize)]) -> Sandbox {
    let sandbox = Sandbox::new();
    for (folder, count) in folders {
        let folder = sandbox.path().join("set").join(folder);
        std::fs::create_dir_all(&folder).expect("it is writable");
        for index in 0..*count {
            draw(&folder.join(format!("{index:02}.png")), index as u8);
        }
    }
    sandbox
}

fn draw(path: &Path, value: u8) {
    GrayImage::from_pixel(5, 4, Luma([value])).save(path).expect("it can be written");
}

/// Writes a file into the set.
fn put(sandbox: &Sandbox, name: &str) {
    let (folder, _) = name.rsplit_once('/').expect("a folder");
    sandbox.folder(&format!("set/{folder}"));
    sandbox.write(&format!("set/{name}"), "x");
}

fn train(sandbox: &Sandbox, data: &str) -> Outcome {
    let common = ["train", "--model", "linear:4", "--max-steps", "1", "--device", "cpu", "--out", "run"];
    sandbox.run(&[&common[..], &["--data", data]].concat())
}

/// Asserts that a run starts with these lines, and that `data verify` accepts the folder.
#[track_caller]
fn starts_with(sandbox: &Sandbox, lines: &[&str]) {
    let outcome = fine(train(sandbox, "set"));
    let found: Vec<_> = outcome.stderr.lines().take(lines.len()).collect();
    assert_eq!(found, lines);
    fine(sandbox.run(&["data", "verify", "set"]));
}

/// Asserts that both reject the folder with these two lines.
#[track_caller]
fn is_refused(sandbox: &Sandbox, error: &str, help: &str) {
    for outcome in [train(sandbox, "set"), sandbox.run(&["data", "stats", "set"])] {
        outcome.refused(3);
        assert_eq!(outcome.stderr, format!("error: {error}\nhelp: {help}\n"));
    }
    assert!(!sandbox.path().join("run").exists());
    let verified = sandbox.run(&["data", "verify", "set"]);
    assert_eq!((verified.code, verified.stderr), (Some(3), format!("error: {error}\nhelp: {help}\n")));
}

#[test]
fn the_first_lines_name_classes_and_splits() {
    starts_with(
        &sandbox(&[("red", 10), ("blue", 5)]),
        &[
            "note: set: 2 classes with 4 to 8 training pictures (1 : 2.0): blue (4), red (8)",
            "note: training: 12 pictures in set; testing: 3 more, 20 % of each class, held out because there is \
             no test folder",
            "note: 15 pictures of 5x4, kept at 5x4 grey",
        ],
    );
    let many: Vec<_> =
        (0..12).map(|class| (format!("class{class:02}"), 5 + 5 * usize::from(class == 11))).collect();
    let many: Vec<_> = many.iter().map(|(class, count)| (class.as_str(), *count)).collect();
    starts_with(
        &sandbox(&many),
        &[
            "note: set: 12 classes with 4 to 8 training pictures (1 : 2.0): class00 (4), class01 (4), class02 (4), \
           class03 (4), class04 (4), class05 (4), class06 (4), class07 (4), class08 (4), class09 (4) and 2 more",
        ],
    );
    starts_with(
        &sandbox(&[("train/red", 3), ("train/blue", 3), ("val/red", 2), ("test/blue", 1)]),
        &[
            "note: set: 2 classes with 3 training pictures each: blue, red",
            "note: training: 6 pictures in set/train; validation: 2 in set/val; testing: 1 in set/test",
        ],
    );
    starts_with(
        &sandbox(&[("images/Train set/red", 3), ("images/Train set/blue", 3), ("images/val-set/red", 2)]),
        &[
            "note: set: 2 classes with 3 training pictures each: blue, red",
            "note: training: 6 pictures in set/images/Train set; testing: 2 in set/images/val-set, because there is \
             no test folder",
        ],
    );
}

#[test]
fn what_is_left_out_is_counted_by_ending() {
    let sandbox = sandbox(&[("red", 10), ("blue", 10)]);
    for name in ["red/a.webp", "red/b.WEBP", "blue/c.heic", "blue/README", "blue/Thumbs.db", "@eaDir/x.png"] {
        put(&sandbox, name);
    }
    let outcome = train(&sandbox, "set");
    let warnings: Vec<_> = outcome.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    let formats = "warning: ignored: 3 pictures in unsupported formats (2 .webp, 1 .heic); convert them to \
                   PNG or JPEG";
    assert_eq!(warnings, ["warning: ignored: set/blue/README: not a PNG or JPEG image", formats]);
    let verified = sandbox.run(&["data", "verify", "set"]);
    let lines: Vec<_> = verified.stdout.lines().collect();
    assert_eq!((verified.code, &lines[..2]), (Some(0), &warnings[..]));
    assert_eq!(lines[2], "warning: class blue has only 8 training pictures");
    assert_eq!(lines[4], "files that are not images: 1 without an extension");
    assert_eq!(lines.last(), Some(&"set: 20 of 20 images can be read"));
    let object = &sandbox.run(&["data", "verify", "set", "--json"]).events()[0];
    assert_eq!(object["unread"], json!({ "webp": 2, "heic": 1 }));
    assert_eq!(object["others"], json!({ "": 1 }));
    assert_eq!(object["classes"], json!(["blue", "red"]));
    assert_eq!(object["train"], json!({ "folder": "set", "per_class": [8, 8] }));
    assert_eq!(object["test"], json!({ "folder": null, "per_class": [2, 2] }));
    assert_eq!((&object["validation"], &object["refusal"]), (&json!(null), &json!(null)));
}

#[test]
fn folders_that_cannot_be_meant_are_refused_with_what_was_meant() {
    is_refused(
        &sandbox(&[("flowers/red", 3), ("flowers/blue", 3)]),
        "set: found only one class, flowers, expected two or more",
        "if the classes are blue, red, use --data set/flowers",
    );
    is_refused(
        &sandbox(&[("part1/red", 3), ("part1/blue", 3), ("part2/red", 3), ("part2/blue", 3)]),
        "set: found the same folders (blue, red) in each of part1, part2, expected classes, or the splits train/, \
         val/ and test/",
        "rename part1, part2 to train, val or test, or train on one of them: --data set/part1; if they are the \
         classes, move their pictures up into them",
    );
    let formats = sandbox(&[("red", 3)]);
    put(&formats, "blue/a.webp");
    is_refused(
        &formats,
        "set/blue: found 1 picture in unsupported formats (1 .webp), expected some PNG or JPEG files in each \
         class",
        "convert them to PNG or JPEG, or move the folder away",
    );
    let unreadable = sandbox(&[("red", 3)]);
    put(&unreadable, "blue/a.jpg");
    for outcome in [train(&unreadable, "set"), unreadable.run(&["data", "verify", "set"])] {
        assert_eq!(outcome.code, Some(3), "{outcome:#?}");
        outcome.because(&[
            "set: found no training pictures of blue (set/blue/a.jpg: found an unreadable picture",
        ]);
    }
}

#[test]
fn each_split_is_measured_on_its_own() {
    let sandbox = sandbox(&[
        ("Training/red", 6),
        ("Training/blue", 6),
        ("valid/red", 2),
        ("valid/blue", 3),
        ("TEST/red", 4),
        ("TEST/blue", 3),
        ("few/red", 9),
    ]);
    fine(train(&sandbox, "set"));
    let eval = |data: &str, split: &str| {
        sandbox.run(&["eval", "run", "--data", data, "--split", split, "--device", "cpu", "--json"])
    };
    for (split, images) in [("train", 12), ("validation", 5), ("test", 7), ("all", 24)] {
        let evaluation = &eval("set", split).events()[0];
        assert_eq!((&evaluation["split"], &evaluation["images"]), (&split.into(), &images.into()));
    }
    let logits = ["predict", "run", "--data", "set", "--split", "validation", "--logits", "x.npy", "--json"];
    let predicted = &sandbox.run(&[&logits[..], &["--device", "cpu"]].concat()).events()[0];
    assert_eq!(predicted["images"], 5);
    // Another folder, with pictures of one class.
    assert_eq!(eval("set/few", "all").events()[0]["images"], 9);
    eval("set/few", "validation").refused(3).because(&["few has no validation images"]);

    let stats = sandbox.run(&["data", "stats", "set", "--preview", "sheet.png"]);
    assert!(stats.stdout.contains("set: 12 training, 5 validation and 7 test images of 1x4x5"), "{stats:#?}");
    let rows: Vec<Vec<&str>> = stats.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    for row in [["class", "train", "validation", "test"], ["blue", "6", "3", "3"], ["red", "6", "2", "4"]] {
        assert!(rows.contains(&row.to_vec()), "{stats:#?}");
    }
    let object = &sandbox.run(&["data", "stats", "set", "--json"]).events()[0];
    assert_eq!(object["validation"], json!({ "images": 5, "per_class": [3, 2] }));
}

/// Runs from before `val/` was used have not recorded its files.
#[test]
fn runs_that_began_without_validation_pictures_are_reported_on_without() {
    let folders = [("train/red", 3), ("train/blue", 3), ("test/red", 2), ("test/blue", 2)];
    let sandbox = sandbox(&folders);
    fine(train(&sandbox, "set"));
    for (name, value) in [("val/red/a.png", 90), ("val/blue/b.png", 91)] {
        put(&sandbox, name);
        draw(&sandbox.path().join("set").join(name), value);
    }
    let report = sandbox.run(&["report", "run", "--device", "cpu"]);
    assert_eq!((report.code, report.stderr.as_str()), (Some(0), ""), "{report:#?}");
    draw(&sandbox.path().join("set/test/red/00.png"), 77);
    let changed = sandbox.run(&["report", "run", "--device", "cpu"]);
    assert!(changed.stderr.contains("differ from those that the run was trained on"), "{changed:#?}");
}
