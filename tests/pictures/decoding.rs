//! Decoding of pictures.

use image::metadata::Orientation;
use image::{DynamicImage, GrayAlphaImage, ImageBuffer, RgbaImage};
use shadegrad::Error;
use shadegrad::data::ImageShape;
use shadegrad::data::pictures::{Resize, Size, Wanted, read};

use crate::pictures::album::{Album, colour, grey, jpeg, png};
use crate::samples::data_sets::expect_data_error;

fn shape(channels: usize, height: usize, width: usize) -> ImageShape {
    ImageShape { channels, height, width }
}

/// Returns the bytes of the decoded image.
fn decoded(contents: impl AsRef<[u8]>, shape: ImageShape, resize: Resize) -> Result<Vec<u8>, Error> {
    let album = Album::new();
    let path = album.write("picture", contents);
    read(&[path], shape, resize).remove(0)
}

#[track_caller]
fn exactly(contents: impl AsRef<[u8]>, shape: ImageShape) -> Vec<u8> {
    decoded(contents, shape, Resize::Refuse).unwrap()
}

#[test]
fn pixels_lie_channel_by_channel_row_by_row() {
    for (width, height) in [(1, 1), (1, 9), (9, 1), (7, 5), (64, 64), (255, 2)] {
        let bytes = exactly(png(colour(width, height)), shape(3, height as usize, width as usize));
        let plane = (width * height) as usize;
        let red = (0..height).flat_map(|_| (0..width).map(|x| x as u8));
        let green = (0..height).flat_map(|y| (0..width).map(move |_| y as u8));
        let expected: Vec<u8> = red.chain(green).chain(std::iter::repeat_n(7, plane)).collect();
        assert_eq!(bytes, expected, "{width}x{height}");
    }
}

#[test]
fn grey_becomes_colour_and_colour_grey() {
    assert_eq!(exactly(png(grey(2, 1, 90)), shape(3, 1, 2)), [90; 6]);
    let pixel = |red, green, blue| {
        let picture = image::RgbImage::from_pixel(1, 1, image::Rgb([red, green, blue]));
        exactly(png(picture.into()), shape(1, 1, 1))[0]
    };
    assert_eq!((pixel(0, 0, 0), pixel(255, 255, 255), pixel(80, 80, 80)), (0, 255, 80));
    assert!(pixel(0, 200, 0) > pixel(200, 0, 0) && pixel(200, 0, 0) > pixel(0, 0, 200));
}

#[test]
fn sixteen_bits_are_rounded_to_eight() {
    let values = [0_u16, 128, 129, 257, 32_768, 65_406, 65_407, 65_535];
    let picture = ImageBuffer::<image::Luma<u16>, _>::from_vec(8, 1, values.to_vec()).unwrap();
    let bytes = exactly(png(DynamicImage::ImageLuma16(picture)), shape(1, 1, 8));
    let expected = values.map(|value| (f64::from(value) / 257.0).round() as u8);
    assert_eq!(bytes, expected);
}

#[test]
fn transparency_is_put_on_white() {
    let picture = RgbaImage::from_vec(3, 1, vec![10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 200, 51]).unwrap();
    let bytes = exactly(png(picture.into()), shape(3, 1, 3));
    assert_eq!(bytes, [10, 255, 204, 20, 255, 224, 30, 255, 244]);
    let picture = GrayAlphaImage::from_vec(2, 1, vec![10, 255, 10, 0]).unwrap();
    assert_eq!(exactly(png(picture.into()), shape(1, 1, 2)), [10, 255]);
}

#[test]
fn jpeg_is_read_under_each_of_its_endings() {
    let album = Album::new();
    for class in ["cat", "dog"] {
        for ending in ["jpg", "JPEG", "jpe", "jfif", "JIF", "pjpeg", "pjp"] {
            album.write(&format!("{class}/a.{ending}"), jpeg(grey(5, 4, 9)));
        }
    }
    let dataset = album.loaded();
    assert_eq!((dataset.files.len(), dataset.warnings), (14, Vec::new()));
}

#[test]
fn jpeg_is_read_by_its_content_whatever_its_name() {
    let picture = image::RgbImage::from_fn(48, 32, |x, y| image::Rgb([4 * x as u8, 6 * y as u8, 99]));
    let album = Album::new();
    let path = album.write("a.png", jpeg(picture.clone().into()));
    let bytes = read(&[path], shape(3, 32, 48), Resize::Refuse).remove(0).unwrap();
    for (index, pixel) in picture.pixels().enumerate() {
        for channel in 0..3 {
            let found = bytes[channel * 48 * 32 + index];
            assert!(found.abs_diff(pixel.0[channel]) < 16, "{index}: {found} for {pixel:?}");
        }
    }
}

/// Returns a JPEG file with an EXIF segment that contains only the orientation.
fn marked(mut file: Vec<u8>, orientation: Orientation) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation.to_exif(), 0, 0, 0, 0, 0, 0]);
    let length = (exif.len() as u16 + 2).to_be_bytes();
    file.splice(2..2, [&[0xff, 0xe1], &length[..], &exif].concat());
    file
}

#[test]
fn a_camera_held_upright_gives_upright_pictures() {
    // The left half is black and the right half white.
    let picture = image::GrayImage::from_fn(32, 16, |x, _| image::Luma([if x < 16 { 0 } else { 255 }]));
    let file = jpeg(picture.into());
    let upright =
        |orientation, height, width| exactly(marked(file.clone(), orientation), shape(1, height, width));
    assert!(upright(Orientation::NoTransforms, 16, 32)[0] < 40);
    assert!(upright(Orientation::FlipHorizontal, 16, 32)[0] > 215);
    let turned = upright(Orientation::Rotate90, 32, 16);
    assert!(turned[..16].iter().all(|&top| top < 40), "{:?}", &turned[..16]);
    let turned = upright(Orientation::Rotate270, 32, 16);
    assert!(turned[..16].iter().all(|&top| top > 215), "{:?}", &turned[..16]);
    // The data set has the size after applying the orientation.
    let album = Album::new();
    for name in ["cat/a.jpg", "cat/b.jpg", "dog/a.jpg"] {
        album.write(name, marked(file.clone(), Orientation::Rotate90));
    }
    assert_eq!(album.loaded().shape, shape(1, 32, 16));
}

#[test]
fn cropping_keeps_the_middle_and_its_proportions() {
    // A white square in the middle of a black picture.
    let is_inside = |x, y| (40..60).contains(&x) && y < 20;
    let wide = image::GrayImage::from_fn(100, 20, |x, y| image::Luma([255 * u8::from(is_inside(x, y))]));
    let tall = DynamicImage::from(wide.clone()).rotate90();
    for picture in [wide.into(), tall] {
        let file = png(picture);
        assert!(decoded(&file, shape(1, 5, 5), Resize::Crop).unwrap().iter().all(|&pixel| pixel > 200));
        let stretched = decoded(&file, shape(1, 5, 5), Resize::Stretch).unwrap();
        assert_eq!(stretched.iter().filter(|&&pixel| pixel < 50).count(), 20, "{stretched:?}");
        let refused = decoded(&file, shape(1, 5, 5), Resize::Refuse);
        assert!(refused.as_ref().unwrap_err().advice().unwrap().contains("resize = crop"));
        expect_data_error(refused, &["picture", "found a picture of", "expected 5x5"]);
    }
}

#[test]
fn pictures_of_every_size_become_images_of_every_size() {
    let sizes = [(1, 1), (1, 50), (50, 1), (3, 2), (97, 101), (500, 3)];
    for (width, height) in sizes {
        let file = png(grey(width, height, 77));
        for (wanted_width, wanted_height) in sizes {
            let shape = shape(1, wanted_height as usize, wanted_width as usize);
            for resize in [Resize::Crop, Resize::Stretch] {
                let bytes = decoded(&file, shape, resize).unwrap();
                assert_eq!(bytes.len(), shape.pixels());
                assert!(bytes.iter().all(|&pixel| pixel == 77), "{width}x{height} to {shape:?}");
            }
        }
    }
}

#[test]
fn the_size_of_images_follows_the_pictures_unless_it_is_said() {
    let of = |sizes: &[(u32, u32)], size| {
        let album = Album::new();
        for (index, &(width, height)) in sizes.iter().enumerate() {
            for class in ["cat", "dog"] {
                album.write(&format!("{class}/{index}.png"), png(grey(width, height, 0)));
            }
        }
        let dataset = album.load(&Wanted { size, ..Wanted::default() }).unwrap();
        (dataset.shape.height, dataset.shape.width)
    };
    assert_eq!(of(&[(128, 9), (128, 9)], Size::Found), (9, 128));
    assert_eq!(of(&[(129, 9), (129, 9)], Size::Found), (64, 64));
    assert_eq!(of(&[(20, 20), (20, 21)], Size::Found), (64, 64));
    assert_eq!(of(&[(20, 20), (20, 20)], Size::Side(11)), (11, 11));
}

#[test]
fn one_coloured_picture_makes_all_of_them_coloured() {
    let album = Album::of(&[("cat", 5), ("dog", 5)]);
    album.write("cat/colour.png", png(colour(5, 4)));
    assert_eq!(album.loaded().shape.channels, 3);
}

#[test]
fn nothing_is_resized_where_that_is_refused() {
    let album = Album::of(&[("cat", 5), ("dog", 5)]);
    album.write("cat/large.png", png(grey(50, 40, 0)));
    let wanted = Wanted { size: Size::Side(5), resize: Resize::Refuse, ..Wanted::default() };
    expect_data_error(album.load(&wanted), &["000.png", "a picture of 5x4", "expected 5x5"]);
}
