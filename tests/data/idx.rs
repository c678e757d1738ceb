//! IDX files.

use crate::samples::data_sets::{expect_data_error, gzip, idx_images, idx_labels};
use shadegrad::Result;
use shadegrad::data::idx::read_split;
use shadegrad::data::{ImageShape, Split};
use std::fs;

const LABELS: [u8; 3] = [0, 2, 1];

/// Reads images and labels from files with these bytes.
fn read(images: &[u8], labels: &[u8]) -> Result<(ImageShape, Split)> {
    let folder = tempfile::tempdir().unwrap();
    let [images_path, labels_path] = ["images.bin", "labels.bin"].map(|it| folder.path().join(it));
    fs::write(&images_path, images).unwrap();
    fs::write(&labels_path, labels).unwrap();
    read_split(&images_path, &labels_path, Some(3))
}

#[test]
fn plain_and_compressed_files_hold_the_same_images() {
    let images = idx_images(3, 2, 5);
    let labels = idx_labels(&LABELS);
    let (shape, split) = read(&images, &labels).unwrap();
    assert_eq!((shape.channels, shape.height, shape.width), (1, 2, 5));
    assert_eq!(split.images, (0..30).collect::<Vec<u8>>());
    assert_eq!(split.labels, [0, 2, 1]);
    assert_eq!(read(&gzip(&images), &gzip(&labels)).unwrap(), (shape, split.clone()));
    // Some mirrors concatenate several gzip members.
    let members = [gzip(&images[..20]), gzip(&images[20..])].concat();
    assert_eq!(read(&members, &labels).unwrap(), (shape, split));
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let images = idx_images(3, 2, 5);
    let labels = idx_labels(&LABELS);
    let (packed_images, packed_labels) = (gzip(&images), gzip(&labels));
    for whole in [&images, &packed_images] {
        for length in 0..whole.len() {
            expect_data_error(read(&whole[..length], &labels), &["images.bin", "found", "expected"]);
        }
    }
    for whole in [&labels, &packed_labels] {
        for length in 0..whole.len() {
            expect_data_error(read(&images, &whole[..length]), &["labels.bin", "found", "expected"]);
        }
    }
}

#[test]
fn every_changed_header_byte_is_an_error() {
    let images = idx_images(3, 2, 5);
    let labels = idx_labels(&LABELS);
    for flip in [0x01, 0x80, 0xff] {
        for index in 0..16 {
            let mut changed = images.clone();
            changed[index] ^= flip;
            expect_data_error(read(&changed, &labels), &["images.bin"]);
            expect_data_error(read(&gzip(&changed), &labels), &["images.bin"]);
        }
        for index in 0..8 {
            let mut changed = labels.clone();
            changed[index] ^= flip;
            expect_data_error(read(&images, &changed), &["labels.bin"]);
        }
    }
}

#[test]
fn a_changed_byte_of_a_compressed_file_never_changes_a_pixel() {
    let images = gzip(&idx_images(3, 2, 5));
    let labels = idx_labels(&LABELS);
    let whole = read(&images, &labels).unwrap();
    let mut unnoticed = 0;
    for index in 0..images.len() {
        for bit in 0..8 {
            let mut changed = images.clone();
            changed[index] ^= 1 << bit;
            match read(&changed, &labels) {
                Ok(found) => {
                    assert_eq!(found, whole);
                    unnoticed += 1;
                }
                Err(_) => expect_data_error(read(&changed, &labels), &["images.bin"]),
            }
        }
    }
    // Only gzip's time stamp, two notes on the compressor, a text flag and the padding bits of the
    // last byte have no meaning.
    assert!(unnoticed <= (4 + 1 + 1) * 8 + 1 + 7, "{unnoticed}");
}

#[test]
fn bytes_after_the_end_are_an_error() {
    let images = idx_images(3, 2, 5);
    let labels = idx_labels(&LABELS);
    let longer = [images.as_slice(), b"x"].concat();
    expect_data_error(read(&longer, &labels), &["images.bin", "more bytes", "end"]);
    expect_data_error(read(&gzip(&longer), &labels), &["images.bin", "more bytes"]);
    let two_members = [gzip(&images), gzip(b"x")].concat();
    expect_data_error(read(&two_members, &labels), &["images.bin", "more bytes"]);
    let garbage = [gzip(&images).as_slice(), b"garbage"].concat();
    expect_data_error(read(&garbage, &labels), &["images.bin"]);
}

#[test]
fn as_many_labels_as_images() {
    let result = read(&idx_images(4, 2, 5), &idx_labels(&LABELS));
    expect_data_error(result, &["images.bin", "4 images", "expected 3", "labels.bin"]);
}

#[test]
fn labels_are_below_the_number_of_classes() {
    let result = read(&idx_images(3, 2, 5), &idx_labels(&[0, 3, 1]));
    expect_data_error(result, &["labels.bin", "label 3 at index 1", "labels below 3"]);
}

#[test]
fn images_are_not_labels() {
    let (images, labels) = (idx_images(3, 2, 5), idx_labels(&LABELS));
    expect_data_error(read(&labels, &images), &["labels.bin", "0x00000803", "0x00000801"]);
}

#[test]
fn absurd_sizes_are_errors() {
    for (count, rows, columns, complaint) in [
        (0, 28, 28, "0 images"),
        (3, 0, 28, "0 rows"),
        (3, 28, 0, "0 columns"),
        (3, 5000, 28, "5000 rows"),
        (u32::MAX, 4096, 4096, "promises 72057594021150720 bytes"),
        (u32::MAX, 1, 1, "promises 4294967295 bytes"),
    ] {
        let mut images = idx_images(0, 0, 0);
        images[4..8].copy_from_slice(&u32::to_be_bytes(count));
        images[8..12].copy_from_slice(&u32::to_be_bytes(rows));
        images[12..16].copy_from_slice(&u32::to_be_bytes(columns));
        let labels = idx_labels(&LABELS);
        expect_data_error(read(&images, &labels), &["images.bin", complaint]);
        expect_data_error(read(&gzip(&images), &labels), &["images.bin", complaint]);
    }
}

#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("labels");
    fs::write(&labels, idx_labels(&LABELS)).unwrap();
    expect_data_error(read_split(folder.path(), &labels, None), &["a folder", "a regular file"]);
}
