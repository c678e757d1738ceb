//! The IDX files of MNIST and similar sets: a header of big-endian numbers, then bytes.
//!
//! Images: magic `0x00000803`, count, rows, columns, then `count * rows * columns` grey values.
//! Labels: magic `0x00000801`, count, then one byte each. Plain or gzip.
//!
//! ```no_run
//! use std::path::Path;
//!
//! let images = Path::new("train-images-idx3-ubyte.gz");
//! let (shape, count, pixels) = shadegrad::data::idx::read_images(images)?;
//! assert_eq!(pixels.len(), count * shape.pixels());
//! # Ok::<(), shadegrad::Error>(())
//! ```

use super::source::{Source, unlike};
use super::{ImageShape, Split};
use crate::Result;
use std::path::Path;

const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;

/// Maximum side of an image. It bounds the size that a damaged header can claim. Memory is
/// allocated only for bytes that are read.
const MAX_SIDE: u32 = 4096;

/// Reads the images of one split and their labels.
///
/// `classes` is the number of classes if it is known. A label that is not below it is an error.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) if a file violates the format or the two files
/// disagree, [`ErrorKind::Io`](crate::ErrorKind::Io) if one cannot be read.
pub fn read_split(images: &Path, labels: &Path, classes: Option<usize>) -> Result<(ImageShape, Split)> {
    let labels_read = read_labels(labels)?;
    let (shape, count, pixels) = read_images(images)?;
    if count != labels_read.len() {
        let found = format_args!("{count} images");
        let expected =
            format_args!("{}, as many as there are labels in {}", labels_read.len(), labels.display());
        return Err(unlike(images.display(), found, expected));
    }
    check_labels(labels, &labels_read, classes)?;
    let labels = labels_read.into_iter().map(u32::from).collect();
    let split = Split { images: pixels, labels, ..Split::default() };
    Ok((shape, split))
}

/// Reads a file of images. Returns the shape of an image, the number of images, and their pixels
/// one image after the other.
///
/// # Errors
/// As [`read_split`].
pub fn read_images(path: &Path) -> Result<(ImageShape, usize, Vec<u8>)> {
    let mut source = Source::open(path)?;
    expect_magic(&mut source, IMAGES_MAGIC, "images")?;
    let count = read_number(&mut source)?;
    let height = read_number(&mut source)?;
    let width = read_number(&mut source)?;
    for (what, side) in [("rows", height), ("columns", width)] {
        if !(1..=MAX_SIDE).contains(&side) {
            let expected = format_args!("1 to {MAX_SIDE}");
            return Err(unlike(source.file(), format_args!("{side} {what}"), expected));
        }
    }
    expect_some(&source, count, "images")?;
    // The product is at most 2^32 * 2^12 * 2^12, which does not overflow 64 bits.
    let promised = u64::from(count) * u64::from(height) * u64::from(width);
    let pixels = source.bytes(promised, "pixels")?;
    source.expect_end()?;
    let shape = ImageShape { channels: 1, height: height as usize, width: width as usize };
    Ok((shape, count as usize, pixels))
}

/// Reads a file of labels.
pub(crate) fn read_labels(path: &Path) -> Result<Vec<u8>> {
    let mut source = Source::open(path)?;
    expect_magic(&mut source, LABELS_MAGIC, "labels")?;
    let count = read_number(&mut source)?;
    expect_some(&source, count, "labels")?;
    let labels = source.bytes(u64::from(count), "labels")?;
    source.expect_end()?;
    Ok(labels)
}

fn read_number(source: &mut Source) -> Result<u32> {
    source.array("the header").map(u32::from_be_bytes)
}

fn expect_magic(source: &mut Source, expected: u32, kind: &str) -> Result<()> {
    let found = read_number(source)?;
    if found != expected {
        let expected = format_args!("0x{expected:08x} (IDX {kind})");
        let found = format_args!("magic number 0x{found:08x}");
        return Err(unlike(source.file(), found, expected));
    }
    Ok(())
}

fn expect_some(source: &Source, count: u32, what: &str) -> Result<()> {
    if count == 0 {
        return Err(unlike(source.file(), format_args!("0 {what}"), "at least one"));
    }
    Ok(())
}

fn check_labels(path: &Path, labels: &[u8], classes: Option<usize>) -> Result<()> {
    let Some(classes) = classes else {
        return Ok(());
    };
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(index) => {
            let found = format_args!("label {} at index {index}", labels[index]);
            let expected = format_args!("labels below {classes}");
            Err(unlike(path.display(), found, expected))
        }
    }
}
