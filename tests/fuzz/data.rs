//! The files of data sets: IDX, CIFAR records, archives, and gzip around any of them.

use std::path::Path;

use shadegrad::ErrorKind::Data;
use shadegrad::data::cifar::{CIFAR_100, Cifar, Contents};
use shadegrad::data::idx::read_split;
use shadegrad::{Result, data::ImageShape, data::Split};

use crate::harness::{Case, Target, dictionary, fuzz, taken};
use crate::samples::data_sets::{append, cifar_files, cifar_records, gzip, idx_images, idx_labels};

const IDX_WORDS: &[&[u8]] = &[&[0, 0, 8, 3], &[0, 0, 8, 1], &[0, 0, 0, 0], &[0x1f, 0x8b], &[0, 0, 16, 0]];

fn idx_samples() -> Vec<Vec<u8>> {
    vec![idx_images(3, 2, 3), idx_images(3, 5, 1), idx_labels(&[0, 1, 2])]
}

/// Reads the case as the kind of its sample, together with a valid file of the other kind.
fn read_idx(case: &Case<'_>) -> Result<(ImageShape, Split)> {
    let changed = case.write("changed");
    let other = case.folder.join("other");
    if case.sample == 2 {
        std::fs::write(&other, idx_images(3, 2, 3)).expect("the folder is writable");
        read_split(&other, &changed, Some(10))
    } else {
        std::fs::write(&other, idx_labels(&[0, 1, 2])).expect("the folder is writable");
        read_split(&changed, &other, Some(10))
    }
}

fn assert_whole(shape: ImageShape, split: &Split, classes: u32) {
    assert_eq!(split.images.len(), split.labels.len() * shape.pixels());
    assert!(!split.labels.is_empty() && split.labels.iter().all(|&label| label < classes));
}

#[test]
fn idx() {
    let target = Target { name: "idx", samples: idx_samples(), dictionary: IDX_WORDS, mend: None };
    fuzz(&target, |case| match taken(read_idx(case), &[Data]) {
        Some((shape, split)) => {
            assert_whole(shape, &split, 10);
            true
        }
        None => false,
    });
}

/// Damages compressed bytes. gzip has a checksum, so accepted contents are the original ones.
#[test]
fn gzip_around_idx() {
    let plain = idx_samples();
    let samples = plain.iter().map(|file| gzip(file)).collect();
    let words: &[&[u8]] = &[&[0x1f, 0x8b, 8], &[0x1f, 0x8b, 8, 0x1f], &[0, 0, 0, 0xff, 0xff], &[3, 0]];
    let target = Target { name: "gzip", samples, dictionary: words, mend: None };
    fuzz(&target, |case| match taken(read_idx(case), &[Data]) {
        Some((shape, split)) => {
            assert_whole(shape, &split, 10);
            if case.sample < 2 {
                assert!(split.images == plain[case.sample][16..], "damage was taken for pixels");
            }
            true
        }
        None => false,
    });
}

fn assert_is_of(cifar: &Cifar, contents: &Contents) {
    for split in [&contents.train, &contents.test] {
        assert_eq!(split.images.len(), 3072 * split.labels.len());
        assert!(split.labels.iter().all(|&label| (label as usize) < cifar.class_count()));
    }
    if let Some(classes) = &contents.classes {
        assert_eq!(classes.len(), cifar.class_count());
        assert!(!classes.iter().any(|class| class.contains(char::is_control)));
    }
}

/// Class names in a file of CIFAR-100.
fn class_names() -> Vec<u8> {
    (0..100).map(|class| format!("class {class}\n")).collect::<String>().into()
}

#[test]
fn cifar() {
    let samples = vec![cifar_records(&CIFAR_100, 5, 2), class_names()];
    let target =
        Target { name: "cifar", samples, dictionary: &[b"\n", b"\r\n", b"\0", b"\x1b[2J"], mend: None };
    fuzz(&target, |case| {
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(case.folder.join(name), bytes).expect("the folder is writable");
        };
        write(CIFAR_100.test, &target.samples[0]);
        let names = [CIFAR_100.train[0], CIFAR_100.names];
        for (sample, name) in names.into_iter().enumerate() {
            write(name, if sample == case.sample { &case.bytes } else { &target.samples[sample] });
        }
        let contents = taken(CIFAR_100.read_folder(case.folder), &[Data]);
        contents.inspect(|contents| assert_is_of(&CIFAR_100, contents)).is_some()
    });
}

fn tar() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in cifar_files(&CIFAR_100) {
        append(&mut builder, &format!("{}/{name}", CIFAR_100.folder), &content);
    }
    append(&mut builder, &format!("{}/{}", CIFAR_100.folder, CIFAR_100.names), &class_names());
    builder.into_inner().expect("memory takes everything")
}

/// Archives with an extension header, such as repacked ones.
fn tar_with_times() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::XHeader);
    let records = b"13 mtime=1.5\n18 uname=somebody\n";
    header.set_size(records.len() as u64);
    header.set_cksum();
    builder.append(&header, &records[..]).expect("memory takes everything");
    [builder.get_ref().as_slice(), &tar()].concat()
}

/// Repairs the checksums of the headers, as far as they can be followed.
fn with_tar_checksums(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while let Some(block) = bytes.get_mut(at..at + 512) {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(block);
        header.set_cksum();
        if block.iter().any(|&byte| byte != 0) {
            block.copy_from_slice(header.as_bytes());
        }
        let size = header.entry_size().unwrap_or(u64::MAX).min(1 << 40) as usize;
        at += 512 + size.next_multiple_of(512);
    }
    bytes
}

#[test]
fn archives() {
    let samples = vec![tar(), tar_with_times()];
    let dictionary = [dictionary!("tar"), &[&[0; 512]]].concat().leak();
    let target = Target { name: "tar", samples, dictionary, mend: Some(with_tar_checksums) };
    fuzz(&target, |case| {
        let archive = case.write("archive.tar");
        let contents = taken(CIFAR_100.read_archive(&archive), &[Data]);
        assert_is_alone(case.folder);
        contents.inspect(|contents| assert_is_of(&CIFAR_100, contents)).is_some()
    });
}

#[test]
fn gzip_around_archives() {
    let samples = vec![gzip(&tar()), gzip(&tar_with_times())];
    let target = Target { name: "tar-gz", samples, dictionary: &[&[0x1f, 0x8b, 8], b"ustar"], mend: None };
    let whole = cifar_records(&CIFAR_100, 0, 2);
    let pixels: Vec<u8> = whole.chunks_exact(3074).flat_map(|record| record[2..].to_vec()).collect();
    fuzz(&target, |case| {
        let archive = case.write("archive.tar.gz");
        let contents = taken(CIFAR_100.read_archive(&archive), &[Data]);
        contents.inspect(|contents| assert!(contents.train.images == pixels, "damage was taken")).is_some()
    });
}

/// No name in an archive becomes a path.
fn assert_is_alone(folder: &Path) {
    let entries = std::fs::read_dir(folder).expect("it is there");
    assert_eq!(entries.count(), 1, "something appeared beside the archive");
}
