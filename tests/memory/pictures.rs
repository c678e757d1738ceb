//! Pictures that are small as files and large in memory do not fill it. This is a test program of
//! its own, because it checks the peak memory of the whole process.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use shadegrad::data::ImageShape;
use shadegrad::data::pictures::{Resize, read};

use crate::samples::resident;

/// A PNG file of black, transparent pixels: its size is little more than a thousandth of the
/// decoded size.
fn black(side: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::NoFilter);
    let pixels = vec![0; 4 * (side * side) as usize];
    encoder.write_image(&pixels, side, side, ExtendedColorType::Rgba8).unwrap();
    file
}

pub fn many_large_pictures_take_no_more_memory_than_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = black(6000);
    assert!(file.len() < 1 << 20, "{} bytes", file.len());
    let before = resident::peak();
    let paths: Vec<_> = (0..4).map(|index| folder.path().join(format!("{index}.png"))).collect();
    for path in &paths {
        std::fs::write(path, &file).unwrap();
    }
    let shape = ImageShape { channels: 3, height: 32, width: 32 };
    for result in read(&paths, shape, Resize::Crop) {
        assert_eq!(result.unwrap(), vec![255; shape.pixels()]);
    }
    // A picture of 36 million pixels takes 137 MiB decoded, and 103 MiB more without transparency.
    // Scaling it takes little memory.
    let most = before.max(300);
    assert!(resident::peak() <= most, "{} MiB, {before} before", resident::peak());
}
