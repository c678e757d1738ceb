//! CIFAR's binary files, in folders and in archives.

use crate::samples::data_sets::{
    both_cifars, cifar_archive, cifar_files, cifar_records, expect_data_error, search_nowhere,
    small_cifar_set,
};
use shadegrad::Result;
use shadegrad::data::Dataset;
use shadegrad::data::cifar::{CIFAR_10, CIFAR_100, Cifar};
use shadegrad::data::load::load;
use shadegrad::data::pictures::Wanted;
use std::fs;
use std::path::Path;

/// Loads the small set from an archive with these bytes.
fn load_archive(cifar: &'static Cifar, archive: &[u8]) -> Result<Dataset> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(cifar.archive), archive).unwrap();
    load_from(cifar, folder.path())
}

fn load_from(cifar: &'static Cifar, folder: &Path) -> Result<Dataset> {
    let mut search = search_nowhere(vec![small_cifar_set(cifar, &[])]);
    search.data_dir = Some(folder.to_owned());
    load("small-cifar", &search, &Wanted::default())
}

fn write_files(folder: &Path, files: &[(String, Vec<u8>)]) {
    fs::create_dir_all(folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

fn with_names(cifar: &Cifar, names: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = cifar_files(cifar);
    files.push((cifar.names.to_owned(), names.as_bytes().to_vec()));
    files
}

#[test]
fn archives_and_folders_hold_the_same_images() {
    for cifar in both_cifars() {
        let mut files = cifar_files(cifar);
        let packed = load_archive(cifar, &cifar_archive(cifar, &files)).unwrap();
        let images = 2 * cifar.train.len();
        assert_eq!(packed.train.len(), images);
        assert_eq!(packed.test.len(), 2);
        for image in 0..images {
            let pixels = &packed.train.images[image * 3072..(image + 1) * 3072];
            assert!(pixels.iter().all(|&pixel| usize::from(pixel) == image));
            assert_eq!(packed.train.labels[image], image as u32 % 100);
        }
        assert_eq!(packed.classes.len(), cifar.class_count());

        // The members of the official archive are not in order, either.
        files.reverse();
        let mut reversed = load_archive(cifar, &cifar_archive(cifar, &files)).unwrap();
        reversed.files.clone_from(&packed.files);
        assert_eq!(reversed, packed);

        let folder = tempfile::tempdir().unwrap();
        for place in [folder.path().join(cifar.folder), folder.path().to_owned()] {
            write_files(&place, &files);
            let mut unpacked = load_from(cifar, folder.path()).unwrap();
            unpacked.files.clone_from(&packed.files);
            assert_eq!(unpacked, packed);
            fs::remove_dir_all(&place).unwrap();
        }
    }
}

#[test]
fn the_fine_label_is_the_class() {
    // Image 25 has coarse label 5 and fine label 25.
    let mut files = cifar_files(&CIFAR_100);
    files[0].1 = cifar_records(&CIFAR_100, 25, 2);
    let dataset = load_archive(&CIFAR_100, &cifar_archive(&CIFAR_100, &files)).unwrap();
    assert_eq!(dataset.train.labels, [25, 26]);
}

#[test]
fn class_names_come_from_the_files() {
    let names: Vec<String> = (0..10).map(|class| format!("class {class}")).collect();
    let files = with_names(&CIFAR_10, &format!("{}\n\n", names.join("\r\n")));
    let dataset = load_archive(&CIFAR_10, &cifar_archive(&CIFAR_10, &files)).unwrap();
    assert_eq!(dataset.classes, names);
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), &files);
    let dataset = load_from(&CIFAR_10, folder.path()).unwrap();
    assert_eq!(dataset.classes, names);
    assert_eq!(dataset.files.len(), 7);
}

#[test]
fn bad_class_names_are_errors() {
    for (names, complaint) in [
        ("a\nb\nc\n", "3 class names, expected 10"),
        ("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\x1b[31m\n", "control"),
        (&"x\n".repeat(40_000), "80000 bytes, expected at most 65536"),
    ] {
        let files = with_names(&CIFAR_10, names);
        let archive = cifar_archive(&CIFAR_10, &files);
        let parts = ["batches.meta.txt", complaint];
        expect_data_error(load_archive(&CIFAR_10, &archive), &parts);
        let folder = tempfile::tempdir().unwrap();
        write_files(folder.path(), &files);
        expect_data_error(load_from(&CIFAR_10, folder.path()), &parts);
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    for cifar in both_cifars() {
        let files = cifar_files(cifar);
        let folder = tempfile::tempdir().unwrap();
        write_files(folder.path(), &files);
        let (name, content) = &files[0];
        for length in 0..content.len() {
            fs::write(folder.path().join(name), &content[..length]).unwrap();
            expect_data_error(load_from(cifar, folder.path()), &[name, "expected"]);
        }
    }
}

#[test]
fn an_archive_cut_anywhere_is_an_error() {
    for cifar in both_cifars() {
        let archive = cifar_archive(cifar, &cifar_files(cifar));
        for length in 0..archive.len() {
            let result = load_archive(cifar, &archive[..length]);
            expect_data_error(result, &[cifar.archive, "found", "expected"]);
        }
    }
}

#[test]
fn a_changed_byte_of_an_archive_never_changes_a_pixel() {
    let archive = cifar_archive(&CIFAR_100, &cifar_files(&CIFAR_100));
    let whole = load_archive(&CIFAR_100, &archive).unwrap();
    let mut unnoticed = 0;
    for index in 0..archive.len() {
        let mut changed = archive.clone();
        changed[index] ^= 0x10;
        match load_archive(&CIFAR_100, &changed) {
            Ok(found) => {
                assert_eq!(found.train, whole.train);
                assert_eq!(found.test, whole.test);
                unnoticed += 1;
            }
            Err(error) => expect_data_error::<()>(Err(error), &[CIFAR_100.archive]),
        }
    }
    // Changes in gzip's time stamp and notes, and in some back-references to equal bytes, have no
    // effect.
    assert!(unnoticed < 20, "{unnoticed}");
}

#[test]
fn labels_are_below_the_number_of_classes() {
    for (cifar, offset, label, parts) in [
        (&CIFAR_10, 3073, 10, ["label 10 in record 1", "below 10"]),
        (&CIFAR_100, 3074, 20, ["label 20 in record 1", "below 20"]),
        (&CIFAR_100, 3075, 100, ["label 100 in record 1", "below 100"]),
    ] {
        let mut files = cifar_files(cifar);
        files[0].1[offset] = label;
        let archive = cifar_archive(cifar, &files);
        let name = files[0].0.as_str();
        expect_data_error(load_archive(cifar, &archive), &[name, parts[0], parts[1]]);
    }
}

#[test]
fn bytes_after_the_last_record_are_an_error() {
    for cifar in both_cifars() {
        let mut files = cifar_files(cifar);
        files[0].1.push(0);
        let parts = [files[0].0.clone(), format!("{} bytes", files[0].1.len())];
        let parts = [parts[0].as_str(), &parts[1], "nothing else"];
        expect_data_error(load_archive(cifar, &cifar_archive(cifar, &files)), &parts);
        let folder = tempfile::tempdir().unwrap();
        write_files(folder.path(), &files);
        expect_data_error(load_from(cifar, folder.path()), &parts);
    }
}

#[test]
fn a_missing_file_is_named() {
    let mut files = cifar_files(&CIFAR_10);
    files.remove(2);
    expect_data_error(
        load_archive(&CIFAR_10, &cifar_archive(&CIFAR_10, &files)),
        &[CIFAR_10.archive, "no cifar-10-batches-bin/data_batch_3.bin"],
    );
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), &files);
    expect_data_error(load_from(&CIFAR_10, folder.path()), &["incomplete: no data_batch_3.bin"]);
}
