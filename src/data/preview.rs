//! A contact sheet of training images, which shows the effect of the data augmentation.
//!
//! ```
//! use shadegrad::augmentation::Augmentation;
//! use shadegrad::data::{Dataset, ImageShape, Split, preview};
//!
//! let train = Split { images: vec![128; 12], labels: vec![0], ..Split::default() };
//! let dataset = Dataset {
//!     shape: ImageShape { channels: 3, height: 2, width: 2 },
//!     classes: vec!["grey".into()],
//!     train,
//!     ..Dataset::default()
//! };
//! let png = preview::sheet(&dataset, &Augmentation::default())?;
//! assert!(png.starts_with(b"\x89PNG"));
//! # Ok::<(), shadegrad::Error>(())
//! ```

use std::io::Cursor;

use image::imageops::{FilterType, replace, resize};
use image::{ImageFormat, Rgb, RgbImage};

use super::statistics::moments;
use super::{Dataset, ImageShape};
use crate::augmentation::{Augmentation, Change};
use crate::error::{Error, ErrorKind, Result};

/// Number of images per row: the original and its augmentations in the first epochs, or images of a
/// class if there is no augmentation.
pub const COLUMNS: usize = 9;

/// Maximum number of rows, one per class.
pub const MOST_ROWS: usize = 16;

/// Pixels between images, and after the originals.
const GAP: usize = 2;
const WIDE_GAP: usize = 8;

/// Minimum length of an image's longer side, reached by an integer factor, and its maximum.
const LEAST_SIDE: usize = 56;
const MOST_SIDE: usize = 224;

/// Draws a PNG file with one row per class, beginning with the first class. Images are changed as
/// `augmentation` does. Masked squares have the mean colour.
///
/// # Errors
/// [`ErrorKind::Data`] if there are no training images.
pub fn sheet(dataset: &Dataset, augmentation: &Augmentation) -> Result<Vec<u8>> {
    let shape = dataset.shape;
    let classes = (0..dataset.classes.len() as u32)
        .map(|class| {
            let images = dataset.train.labels.iter().enumerate().filter(|(_, label)| **label == class);
            images.map(|(image, _)| image).take(COLUMNS).collect::<Vec<_>>()
        })
        .filter(|images| !images.is_empty());
    let rows: Vec<Vec<usize>> = classes.take(MOST_ROWS).collect();
    if rows.is_empty() || shape.pixels() == 0 {
        return Err(Error::data("there are no training images to show"));
    }
    let changes = !augmentation.is_none();
    let side = [shape.width, shape.height].map(|side| scaled(side, shape));
    let behind_first = if changes { WIDE_GAP } else { GAP };
    let left =
        |column: usize| GAP + column * (side[0] + GAP) + if column > 0 { behind_first - GAP } else { 0 };
    let top = |row: usize| GAP + row * (side[1] + GAP);
    let white = Rgb([u8::MAX; 3]);
    let mut sheet = RgbImage::from_pixel(left(COLUMNS) as u32, top(rows.len()) as u32, white);
    let mean = Rgb(colour(&moments(&dataset.train, shape).mean).map(|mean| (255.0 * mean).round() as u8));
    for (row, images) in rows.iter().enumerate() {
        for column in 0..COLUMNS {
            let (image, epoch) = match column.checked_sub(1) {
                Some(epoch) if changes => (images[0], Some(epoch as u32)),
                _ if changes => (images[0], None),
                _ => match images.get(column) {
                    Some(image) => (*image, None),
                    None => break,
                },
            };
            let change =
                epoch.map(|epoch| augmentation.change(epoch, image as u32, [shape.height, shape.width]));
            let pixels = &dataset.train.images[image * shape.pixels()..][..shape.pixels()];
            let drawn = draw(pixels, shape, change.as_ref(), mean);
            let filter = if side[0] < shape.width { FilterType::Triangle } else { FilterType::Nearest };
            let drawn = resize(&drawn, side[0] as u32, side[1] as u32, filter);
            replace(&mut sheet, &drawn, left(column) as i64, top(row) as i64);
        }
    }
    let mut file = Cursor::new(Vec::new());
    sheet
        .write_to(&mut file, ImageFormat::Png)
        .map_err(|cause| Error::new(ErrorKind::Internal, format!("cannot draw the preview: {cause}")))?;
    Ok(file.into_inner())
}

/// Returns the length of an image's side in the sheet.
fn scaled(side: usize, shape: ImageShape) -> usize {
    let longer = shape.width.max(shape.height);
    if longer > MOST_SIDE {
        return (side * MOST_SIDE / longer).max(1);
    }
    side * LEAST_SIDE.div_ceil(longer)
}

/// Returns red, green and blue. Images with another number of channels are drawn in grey, by their
/// first channel.
fn colour<T: Copy>(channels: &[T]) -> [T; 3] {
    match *channels {
        [red, green, blue] => [red, green, blue],
        [first, ..] => [first; 3],
        [] => unreachable!("an image has channels"),
    }
}

/// Draws an image, optionally augmented. The masked square has the colour `hole`.
fn draw(pixels: &[u8], shape: ImageShape, change: Option<&Change>, hole: Rgb<u8>) -> RgbImage {
    let planes: Vec<&[u8]> = pixels.chunks_exact(shape.height * shape.width).collect();
    RgbImage::from_fn(shape.width as u32, shape.height as u32, |column, row| {
        let (mut row, mut column) = (row as usize, column as usize);
        if let Some(change) = change {
            let [rows, columns] = change.hole();
            if rows.contains(&row) && columns.contains(&column) {
                return hole;
            }
            (row, column) = (change.row(row), change.column(column));
        }
        let channels: Vec<u8> = planes.iter().map(|plane| plane[row * shape.width + column]).collect();
        Rgb(colour(&channels))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augmentation::Flip;
    use crate::data::Split;

    /// Red images of 2x3 whose pixels identify them, of two classes in turn.
    fn dataset(count: usize) -> Dataset {
        let image =
            |index: usize| (0..18).map(move |byte| if byte < 6 { (10 * index + byte) as u8 } else { 0 });
        Dataset {
            shape: ImageShape { channels: 3, height: 2, width: 3 },
            classes: vec!["even".into(), "none".into(), "odd".into()],
            train: Split {
                images: (0..count).flat_map(image).collect(),
                labels: (0..count).map(|index| 2 * (index % 2) as u32).collect(),
                ..Split::default()
            },
            ..Dataset::default()
        }
    }

    const FACTOR: usize = LEAST_SIDE.div_ceil(3);

    fn decoded(dataset: &Dataset, augmentation: &Augmentation) -> RgbImage {
        let file = sheet(dataset, augmentation).expect("there are images");
        image::load_from_memory_with_format(&file, ImageFormat::Png).expect("it is a PNG file").into_rgb8()
    }

    /// Returns the red values of an image's pixels, which must all be whole squares.
    fn cell(sheet: &RgbImage, left: usize, top: usize) -> Vec<u8> {
        let red = |row: usize, column: usize| {
            let at = |inside: usize| [left + column * FACTOR + inside, top + row * FACTOR + inside];
            let [first, last] = [0, FACTOR - 1].map(at).map(|[x, y]| sheet.get_pixel(x as u32, y as u32));
            assert_eq!(first, last);
            first.0[0]
        };
        (0..2)
            .flat_map(|row| (0..3).map(move |column| (row, column)))
            .map(|(row, column)| red(row, column))
            .collect()
    }

    #[test]
    fn classes_are_rows_of_their_first_images() {
        let sheet = decoded(&dataset(7), &Augmentation::default());
        let (across, down) = (3 * FACTOR + GAP, 2 * FACTOR + GAP);
        assert_eq!(sheet.dimensions(), ((GAP + COLUMNS * across) as u32, (GAP + 2 * down) as u32));
        for (image, [row, column]) in [(0, [0, 0]), (2, [0, 1]), (6, [0, 3]), (1, [1, 0]), (5, [1, 2])] {
            let found = cell(&sheet, GAP + column * across, GAP + row * down);
            assert_eq!(found, [0, 1, 2, 3, 4, 5].map(|pixel| 10 * image + pixel), "image {image}");
        }
        // There is no fourth odd image.
        assert_eq!(cell(&sheet, GAP + 3 * across, GAP + down), [u8::MAX; 6]);
    }

    #[test]
    fn an_image_stands_before_what_becomes_of_it() {
        let flips = Augmentation { flip: Flip::Alternating, ..Augmentation::default() };
        let sheet = decoded(&dataset(2), &flips);
        let across = 3 * FACTOR + GAP;
        for row in [0, 1] {
            let top = GAP + row * (2 * FACTOR + GAP);
            let plain = cell(&sheet, GAP, top);
            let mirrored = [2, 1, 0, 5, 4, 3].map(|index: usize| plain[index]);
            assert_eq!(plain[0] as usize, 10 * row);
            let seen: Vec<_> =
                (1..COLUMNS).map(|column| cell(&sheet, WIDE_GAP + column * across, top)).collect();
            assert!(
                seen.chunks(2).all(|pair| pair.contains(&plain) && pair.contains(&mirrored.to_vec())),
                "{seen:?}"
            );
        }
    }

    #[test]
    fn holes_have_the_colour_of_the_mean() {
        let holes = Augmentation { cutout: 2, ..Augmentation::default() };
        let sheet = decoded(&dataset(2), &holes);
        // The mean of 0 to 5 and 10 to 15 is 7.5, which may round up or down.
        let seen = cell(&sheet, WIDE_GAP + 3 * FACTOR + GAP, GAP);
        assert!((seen.contains(&7) || seen.contains(&8)) && seen != cell(&sheet, GAP, GAP), "{seen:?}");
    }

    #[test]
    fn large_images_are_shown_small() {
        let shape = ImageShape { channels: 1, height: 1000, width: 500 };
        assert_eq!([500, 1000].map(|side| scaled(side, shape)), [112, 224]);
        let empty = Dataset { train: Split::default(), ..dataset(0) };
        assert_eq!(sheet(&empty, &Augmentation::default()).expect_err("no image").kind(), ErrorKind::Data);
    }
}
