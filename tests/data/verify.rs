//! Distinguishing official files from others.

use crate::samples::data_sets::{
    cifar_archive, cifar_files, gzip, search_nowhere, small_cifar_set, small_idx_contents, small_idx_set,
    write_idx,
};
use shadegrad::data::catalogue::KnownSet;
use shadegrad::data::cifar::CIFAR_10;
use shadegrad::data::verify::{FileReport, verify};
use std::fs;
use std::path::Path;

fn verify_in(folder: &Path, set: KnownSet) -> Vec<FileReport> {
    let mut search = search_nowhere(vec![set]);
    search.data_dir = Some(folder.to_owned());
    let set = &search.catalogue.sets[0];
    verify(set, &search.require(set).unwrap()).unwrap()
}

#[track_caller]
fn expect_fault(report: &FileReport, parts: &[&str]) {
    let fault = report.fault.as_ref().expect("a fault");
    for part in parts {
        assert!(fault.contains(part), "{fault:?} lacks {part:?}");
    }
}

#[test]
fn idx_files_are_compared_by_their_contents() {
    let folder = tempfile::tempdir().unwrap();
    let contents = small_idx_contents();
    write_idx(folder.path(), &contents);
    let set = small_idx_set("small", &contents);
    let reports = verify_in(folder.path(), set.clone());
    assert_eq!(reports.len(), 4);
    assert!(reports.iter().all(|report| report.fault.is_none()));

    let mut changed = contents[2].clone();
    changed[20] ^= 1;
    let file = folder.path().join("t10k-images-idx3-ubyte.gz");
    fs::write(&file, gzip(&changed)).unwrap();
    let reports = verify_in(folder.path(), set.clone());
    let faulty: Vec<_> = reports.iter().filter(|it| it.fault.is_some()).collect();
    assert_eq!(faulty.len(), 1);
    assert_eq!(faulty[0].path, file);
    expect_fault(faulty[0], &["SHA-256", "expected", &set.files[2].sha256]);

    fs::write(&file, &gzip(&changed)[..20]).unwrap();
    let reports = verify_in(folder.path(), set);
    expect_fault(&reports[2], &["the end of the compressed file"]);
}

#[test]
fn an_archive_is_official_as_it_is_or_by_its_members() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(CIFAR_10.archive);
    let mut files = cifar_files(&CIFAR_10);
    let archive = cifar_archive(&CIFAR_10, &files);
    let set = small_cifar_set(&CIFAR_10, &archive);
    fs::write(&path, &archive).unwrap();
    assert_eq!(verify_in(folder.path(), set.clone())[0].fault, None);

    files.reverse();
    fs::write(&path, cifar_archive(&CIFAR_10, &files)).unwrap();
    assert_eq!(verify_in(folder.path(), set.clone())[0].fault, None);

    files[1].1[100] ^= 1;
    fs::write(&path, cifar_archive(&CIFAR_10, &files)).unwrap();
    let report = &verify_in(folder.path(), set.clone())[0];
    expect_fault(report, &["data_batch_5.bin", "SHA-256", "expected"]);

    files.remove(1);
    fs::write(&path, cifar_archive(&CIFAR_10, &files)).unwrap();
    let report = &verify_in(folder.path(), set.clone())[0];
    expect_fault(report, &["no data_batch_5.bin"]);

    fs::write(&path, &archive[..archive.len() / 2]).unwrap();
    let report = &verify_in(folder.path(), set)[0];
    expect_fault(report, &["the end of the compressed file"]);
}

#[test]
fn unpacked_files_are_compared_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = cifar_files(&CIFAR_10);
    files[3].1[7] ^= 1;
    for (name, content) in &files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let reports = verify_in(folder.path(), small_cifar_set(&CIFAR_10, &[]));
    assert_eq!(reports.len(), 6);
    let faulty: Vec<_> = reports.iter().filter(|it| it.fault.is_some()).collect();
    assert_eq!(faulty.len(), 1);
    assert!(faulty[0].path.ends_with("data_batch_4.bin"));
}
