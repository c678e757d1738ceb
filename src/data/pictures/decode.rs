//! Decoding of one picture: from an untrusted PNG or JPEG file to the bytes of an image.

use std::fmt;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageReader, Limits, RgbImage};

use super::{Resize, jpeg};
use crate::data::ImageShape;
use crate::data::source::{open_regular, unlike};
use crate::error::{Error, Result};
use crate::remedy::Remedy;

/// Maximum file size in bytes. It is above that of any photograph.
const MOST_BYTES: u64 = 64 << 20;

/// Maximum number of pixels of a picture: 64 million.
const MOST_PIXELS: u64 = 64 << 20;

/// Maximum memory that a decoder may allocate for one picture in bytes: all pixels with four
/// channels of 8 bits.
const MOST_MEMORY: u64 = 4 * MOST_PIXELS;

/// Pictures with more pixels than this are decoded one at a time, so that many threads do not need
/// many times the memory.
const LARGE: u64 = 8 << 20;

/// Held while a large picture is decoded.
static ONE_LARGE: Mutex<()> = Mutex::new(());

/// The properties of a picture that its header contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outline {
    /// Height in pixels, after applying the EXIF orientation.
    pub(super) height: usize,
    /// Width in pixels, after applying the EXIF orientation.
    pub(super) width: usize,
    /// Whether the picture is greyscale.
    pub(super) is_grey: bool,
}

/// Reads a picture's header.
pub(super) fn outline(path: &Path) -> Result<Outline> {
    let mut decoder = open(path)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) = decoder.dimensions();
    let (width, height) = if lies_on_its_side(orientation) { (height, width) } else { (width, height) };
    let is_grey = !decoder.color_type().has_color();
    Ok(Outline { height: height as usize, width: width as usize, is_grey })
}

/// Decodes a picture into an image of `shape`: its bytes, channel by channel.
///
/// The EXIF orientation is applied, transparent pixels are blended onto white, and 16-bit samples
/// are rounded to 8 bits.
pub(super) fn decode(path: &Path, shape: ImageShape, resize: Resize) -> Result<Vec<u8>> {
    let mut decoder = open(path)?;
    let (width, height) = decoder.dimensions();
    let is_large = u64::from(width) * u64::from(height) > LARGE;
    let _turn = is_large.then(|| ONE_LARGE.lock().unwrap_or_else(PoisonError::into_inner));
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|cause| unreadable(path, &cause))?;
    picture.apply_orientation(orientation);
    let picture = on_white(picture);
    let picture = match shape.channels {
        1 => DynamicImage::ImageLuma8(picture.into_luma8()),
        _ => DynamicImage::ImageRgb8(picture.into_rgb8()),
    };
    Ok(planes(&fit(path, picture, shape, resize)?))
}

/// Opens a file and returns its decoder. Fails if the file or the picture is too large.
fn open(path: &Path) -> Result<impl ImageDecoder + use<>> {
    let bytes = read(path)?;
    if !jpeg::is_whole(&bytes) {
        let found = "a truncated JPEG file";
        return Err(unlike(path.display(), found, "a complete one (was a download interrupted?)"));
    }
    // The format is determined from the content, because file names are often wrong.
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|cause| Error::io(format_args!("read {}", path.display()), &cause))?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|cause| unreadable(path, &cause))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(unlike(
            path.display(),
            format_args!("a picture of {width}x{height}"),
            "at least one pixel",
        ));
    }
    if pixels > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY {
        return Err(too_large(path, format_args!("a picture of {width}x{height}")));
    }
    Ok(decoder)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let (file, size) = open_regular(path)?;
    if size > MOST_BYTES {
        let expected = format_args!("at most {MOST_BYTES}");
        return Err(unlike(path.display(), format_args!("{size} bytes"), expected));
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    file.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|cause| Error::io(format_args!("read {}", path.display()), &cause))?;
    Ok(bytes)
}

fn unreadable(path: &Path, cause: &image::ImageError) -> Error {
    if matches!(cause, image::ImageError::Limits(_)) {
        return too_large(path, "a picture");
    }
    let cause = cause.to_string();
    let first = cause.lines().next().unwrap_or_default();
    unlike(path.display(), format_args!("an unreadable picture ({first})"), "an intact PNG or JPEG file")
}

fn too_large(path: &Path, found: impl fmt::Display) -> Error {
    let found = format_args!("{found} that is too large");
    unlike(path.display(), found, format_args!("at most {MOST_PIXELS} pixels in {MOST_MEMORY} bytes"))
}

fn lies_on_its_side(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// Blends a transparent picture onto white. The colours of transparent pixels are arbitrary.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let channels = if picture.color().has_color() { 3 } else { 1 };
    let picture = picture.into_rgba8();
    let blend = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::with_capacity(channels * (width as usize) * (height as usize));
    for pixel in picture.chunks_exact(4) {
        bytes.extend(pixel[..channels].iter().map(|&value| blend(value, pixel[3])));
    }
    let opaque = match channels {
        1 => GrayImage::from_raw(width, height, bytes).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
    };
    opaque.expect("there are as many bytes as pixels and channels")
}

/// Resizes a picture to `shape`. A picture of that size stays as it is, bit for bit.
fn fit(path: &Path, picture: DynamicImage, shape: ImageShape, resize: Resize) -> Result<DynamicImage> {
    let (width, height) = (picture.width(), picture.height());
    let (wanted_width, wanted_height) = (shape.width as u32, shape.height as u32);
    if (width, height) == (wanted_width, wanted_height) {
        return Ok(picture);
    }
    let scaled =
        |picture: &DynamicImage| picture.resize_exact(wanted_width, wanted_height, FilterType::Triangle);
    match resize {
        Resize::Stretch => Ok(scaled(&picture)),
        Resize::Crop => {
            // The largest centred part with the aspect ratio of the target.
            let [long, high] = [u64::from(width), u64::from(height)];
            let [wide, tall] = [u64::from(wanted_width), u64::from(wanted_height)];
            let part_width = (high * wide / tall).clamp(1, long) as u32;
            let part_height = (long * tall / wide).clamp(1, high) as u32;
            let (x, y) = ((width - part_width) / 2, (height - part_height) / 2);
            Ok(scaled(&picture.crop_imm(x, y, part_width, part_height)))
        }
        Resize::Refuse => Err(wrong_size(path, width as usize, height as usize, shape)),
    }
}

/// Returns the error for a picture that would have to be resized but must not be.
pub(super) fn wrong_size(path: &Path, width: usize, height: usize, shape: ImageShape) -> Error {
    let found = format_args!("a picture of {width}x{height}");
    unlike(path.display(), found, format_args!("{}x{}", shape.width, shape.height))
        .advise(Remedy::settings("allow resizing with {} or {}", [("resize", "crop"), ("resize", "stretch")]))
}

/// Converts interleaved channels to one plane per channel.
fn planes(picture: &DynamicImage) -> Vec<u8> {
    let channels = usize::from(picture.color().channel_count());
    let bytes = picture.as_bytes();
    (0..channels).flat_map(|channel| bytes.iter().skip(channel).step_by(channels).copied()).collect()
}
