//! Small data sets created for tests, in the file layouts of the real ones.

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use shadegrad::data::catalogue::{Catalogue, Form, Format, IDX_STEMS, KnownFile, KnownSet};
use shadegrad::data::cifar::{CIFAR_10, CIFAR_100, Cifar};
use shadegrad::data::locate::Search;
use shadegrad::{Error, ErrorKind};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Returns an IDX images file whose pixels count up.
pub fn idx_images(count: u32, rows: u32, columns: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [0x0803, count, rows, columns] {
        bytes.extend(u32::to_be_bytes(number));
    }
    bytes.extend((0..count * rows * columns).map(|index| index as u8));
    bytes
}

/// Returns an IDX labels file.
pub fn idx_labels(labels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [0x0801, labels.len() as u32] {
        bytes.extend(u32::to_be_bytes(number));
    }
    bytes.extend(labels);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the contents of a small IDX set's four files: three training images of 2x3 and two test
/// images.
pub fn small_idx_contents() -> [Vec<u8>; 4] {
    [idx_images(3, 2, 3), idx_labels(&[0, 1, 2]), idx_images(2, 2, 3), idx_labels(&[2, 0])]
}

/// Returns a catalogue entry for [`small_idx_contents`] or other contents, without mirrors.
pub fn small_idx_set(name: &str, contents: &[Vec<u8>; 4]) -> KnownSet {
    let file = |(stem, content): (&&str, &Vec<u8>)| KnownFile {
        name: format!("{stem}.gz"),
        form: Form::Decompressed,
        bytes: content.len() as u64,
        sha256: sha256(content),
        mirrors: Vec::new(),
    };
    KnownSet {
        name: name.to_owned(),
        title: "a small set".to_owned(),
        format: Format::Idx,
        class_count: 3,
        classes: ["zero", "one", "two"].map(str::to_owned).to_vec(),
        train_images: 3,
        test_images: 2,
        files: IDX_STEMS.iter().zip(contents).map(file).collect(),
        members: Vec::new(),
    }
}

/// Writes the four files, compressed, to `folder`.
pub fn write_idx(folder: &Path, contents: &[Vec<u8>; 4]) {
    fs::create_dir_all(folder).unwrap();
    for (stem, content) in IDX_STEMS.iter().zip(contents) {
        fs::write(folder.join(format!("{stem}.gz")), gzip(content)).unwrap();
    }
}

/// Returns records of a CIFAR file: all pixels of image `i` are `i`, and the labels count up.
pub fn cifar_records(cifar: &Cifar, first: u8, count: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    for image in first..first + count {
        bytes.extend(cifar.labels.iter().map(|&values| image % values as u8));
        bytes.extend([image; 3072]);
    }
    bytes
}

/// Returns names and contents of a small CIFAR set's files: two images in each.
pub fn cifar_files(cifar: &Cifar) -> Vec<(String, Vec<u8>)> {
    let files = cifar.image_files().enumerate();
    files.map(|(index, file)| (file.to_owned(), cifar_records(cifar, 2 * index as u8, 2))).collect()
}

/// Returns a catalogue entry for [`cifar_files`] in an archive with these bytes.
pub fn small_cifar_set(cifar: &'static Cifar, archive: &[u8]) -> KnownSet {
    KnownSet {
        name: "small-cifar".to_owned(),
        title: "a small set".to_owned(),
        format: Format::Cifar(cifar),
        class_count: cifar.class_count(),
        classes: Vec::new(),
        train_images: 2 * cifar.train.len(),
        test_images: 2,
        files: vec![KnownFile {
            name: cifar.archive.to_owned(),
            form: Form::AsIs,
            bytes: archive.len() as u64,
            sha256: sha256(archive),
            mirrors: Vec::new(),
        }],
        members: cifar_files(cifar).into_iter().map(|(name, bytes)| (name, sha256(&bytes))).collect(),
    }
}

/// Returns a tar.gz of these files in the official folder.
pub fn cifar_archive(cifar: &Cifar, files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        append(&mut builder, &format!("{}/{name}", cifar.folder), content);
    }
    gzip(&builder.into_inner().unwrap())
}

pub fn append(builder: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, content).unwrap();
}

/// Both known CIFAR layouts.
pub fn both_cifars() -> [&'static Cifar; 2] {
    [&CIFAR_10, &CIFAR_100]
}

/// Returns a search without folders.
pub fn search_nowhere(sets: Vec<KnownSet>) -> Search {
    Search {
        data_dir: None,
        environment: None,
        cache: None,
        shared: Vec::new(),
        catalogue: Catalogue { sets },
    }
}

/// Asserts that `result` is a data error whose message contains all `parts`, in one line.
#[track_caller]
pub fn expect_data_error<T>(result: Result<T, Error>, parts: &[&str]) {
    let Err(error) = result else {
        panic!("no error, expected one with {parts:?}");
    };
    let message = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Data, "{message}");
    assert!(!message.contains('\n'), "{message}");
    for part in parts {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
}
