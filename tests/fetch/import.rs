//! Importing files from a local path.

use crate::samples::data_sets::{
    cifar_archive, cifar_files, expect_data_error, gzip, small_cifar_set, small_idx_contents, small_idx_set,
    write_idx,
};
use shadegrad::data::cifar::CIFAR_10;
use shadegrad::data::fetch::{Origin, import};
use std::fs;

#[test]
fn a_folder_gives_all_files() {
    let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let contents = small_idx_contents();
    let set = small_idx_set("small", &contents);
    for folder in [from.path().join("small"), from.path().to_owned()] {
        write_idx(&folder, &contents);
        let target = to.path().join(folder.file_name().unwrap());
        let files = import(&set, from.path(), &target).unwrap();
        assert_eq!(files.len(), 4);
        for (file, content) in files.iter().zip(&contents) {
            assert_eq!(file.origin, Origin::Imported);
            assert_eq!(fs::read(&file.path).unwrap(), gzip(content));
        }
        let again = import(&set, from.path(), &target).unwrap();
        assert!(again.iter().all(|it| it.origin == Origin::AlreadyThere));
    }
}

#[test]
fn a_single_file_is_recognised_by_its_contents() {
    let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let contents = small_idx_contents();
    let set = small_idx_set("small", &contents);
    let file = from.path().join("download(1)");
    fs::write(&file, &contents[3]).unwrap();
    let files = import(&set, &file, to.path()).unwrap();
    assert_eq!(files[0].path, to.path().join("t10k-labels-idx1-ubyte"));
    assert_eq!(fs::read(&files[0].path).unwrap(), contents[3]);
}

#[test]
fn what_is_not_official_is_not_imported() {
    let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut files = cifar_files(&CIFAR_10);
    let set = small_cifar_set(&CIFAR_10, &cifar_archive(&CIFAR_10, &files));
    files[0].1[9] ^= 1;
    let archive = from.path().join(CIFAR_10.archive);
    fs::write(&archive, cifar_archive(&CIFAR_10, &files)).unwrap();
    let name = archive.to_str().unwrap();
    for source in [from.path(), &archive] {
        expect_data_error(import(&set, source, to.path()), &[name, "found", "expected"]);
    }
    assert!(!to.path().join(CIFAR_10.archive).exists());
    assert_eq!(fs::read_dir(to.path()).unwrap().count(), 1, "only .lock");
}

#[test]
fn a_missing_file_is_named() {
    let [from, to] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let contents = small_idx_contents();
    let set = small_idx_set("small", &contents);
    write_idx(from.path(), &contents);
    fs::remove_file(from.path().join("t10k-images-idx3-ubyte.gz")).unwrap();
    expect_data_error(import(&set, from.path(), to.path()), &["found no t10k-images-idx3-ubyte.gz"]);
    assert!(import(&set, &from.path().join("nothing"), to.path()).is_err());
}
