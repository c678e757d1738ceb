//! Damaged and malicious files: the result is an error that names the file, or a picture, and never
//! a panic.

use std::fs::File;

use rand::RngExt;
use shadegrad::ErrorKind;
use shadegrad::data::ImageShape;
use shadegrad::data::pictures::{Resize, read};
use shadegrad::rng::{Purpose, Stream};

use crate::pictures::album::{Album, colour, grey, jpeg, png};
use crate::samples::data_sets::expect_data_error;

const SHAPE: ImageShape = ImageShape { channels: 3, height: 8, width: 8 };

/// A file of each format and kind.
fn originals() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("grey.png", png(grey(19, 11, 3))),
        ("colour.png", png(colour(33, 17))),
        ("sixteen.png", png(colour(9, 9).into_rgba16().into())),
        ("grey.jpg", jpeg(grey(19, 11, 3))),
        ("colour.jpg", jpeg(colour(33, 17))),
    ]
}

/// Reads many files and returns the images of those that are pictures. Every error must name its
/// file.
fn pictures_among(files: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let album = Album::new();
    let name = |(index, bytes): (usize, Vec<u8>)| album.write(&format!("file{index}"), bytes);
    let paths: Vec<_> = files.into_iter().enumerate().map(name).collect();
    let results = read(&paths, SHAPE, Resize::Crop);
    for (path, result) in paths.iter().zip(&results) {
        match result {
            Ok(bytes) => assert_eq!(bytes.len(), SHAPE.pixels()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Data, "{error}");
                let message = error.to_string();
                assert!(message.starts_with(path.to_str().unwrap()) && !message.contains('\n'), "{message}");
            }
        }
    }
    results.into_iter().flatten().collect()
}

#[test]
fn a_file_cut_at_any_length_is_an_error() {
    for (name, original) in originals() {
        let cut = (0..original.len()).map(|length| original[..length].to_vec()).collect();
        // The last 12 bytes of a PNG file follow the last pixel.
        let mostly_whole = if name.ends_with("png") { 16 } else { 0 };
        let accepted = pictures_among(cut);
        assert!(accepted.len() <= mostly_whole, "{name}: {} cut files were accepted", accepted.len());
        let whole = pictures_among(vec![original]);
        assert_eq!(whole.len(), 1, "{name}");
        assert!(accepted.iter().all(|image| *image == whole[0]), "{name}: a part of it is missing");
    }
}

#[test]
fn no_flipped_bit_makes_the_program_panic() {
    let mut random = Stream::new(1, Purpose::Init, 0);
    for (name, original) in originals() {
        let flipped = (0..2000).map(|_| {
            let mut bytes = original.clone();
            let bit = random.random_range(0..8 * bytes.len());
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        });
        let accepted = pictures_among(flipped.collect());
        // PNG has checksums, JPEG does not.
        if name.ends_with("png") {
            let whole = pictures_among(vec![original]);
            assert!(accepted.iter().all(|image| *image == whole[0]), "{name}: damage went unnoticed");
        }
    }
}

#[test]
fn noise_behind_a_beginning_is_no_picture() {
    let mut random = Stream::new(2, Purpose::Init, 0);
    for (_, original) in originals() {
        let files = (0..4000).map(|_| {
            let kept = random.random_range(0..original.len());
            let noise = (0..random.random_range(0..400)).map(|_| random.random::<u8>());
            original[..kept].iter().copied().chain(noise).collect()
        });
        pictures_among(files.collect());
    }
}

/// Sets width and height of a PNG file, and updates the checksum.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut file = png(grey(1, 1, 0));
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&file[12..29]);
    file[29..33].copy_from_slice(&checksum.to_be_bytes());
    file
}

/// Computes the CRC bit by bit, as in PNG's specification.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn headers_that_claim_too_much_are_refused() {
    let album = Album::new();
    let refused = |name: &str, contents: Vec<u8>, parts: &[&str]| {
        let path = album.write(name, contents);
        let mut result = read(&[path], SHAPE, Resize::Crop);
        expect_data_error(result.remove(0), &[&[name], parts].concat());
    };
    refused("wide.png", claiming(u32::MAX >> 1, 1), &["a picture that is too large"]);
    refused("square.png", claiming(8193, 8192), &["8193x8192", "at most 67108864 pixels"]);
    refused("all.png", claiming(u32::MAX >> 1, u32::MAX >> 1), &["expected"]);
    refused("none.png", claiming(0, 5), &["expected"]);
    // The header claims the maximum size, but there are no pixels.
    refused("empty.png", claiming(8192, 8192), &["expected an intact PNG or JPEG file"]);
    let mut file = jpeg(grey(8, 8, 0));
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    file[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    refused("large.jpg", file.clone(), &["65535x65535"]);
    file[frame + 5..frame + 7].copy_from_slice(&[0; 2]);
    refused("flat.jpg", file, &["expected"]);
    refused("gif.png", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), &["expected an intact PNG or JPEG file"]);
}

#[test]
fn a_file_that_is_too_large_is_not_opened() {
    let album = Album::new();
    let path = album.path().join("huge.png");
    File::create(&path).unwrap().set_len((64 << 20) + 1).unwrap();
    expect_data_error(read(&[path], SHAPE, Resize::Crop).remove(0), &["huge.png", "67108865 bytes"]);
    expect_data_error(read(&[album.path().into()], SHAPE, Resize::Crop).remove(0), &["a folder"]);
}
