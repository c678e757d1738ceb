//! Pictures created for the tests.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use shadegrad::data::Dataset;
use shadegrad::data::load::load;
use shadegrad::data::pictures::Wanted;
use shadegrad::{Error, Result};
use tempfile::TempDir;

use crate::samples::data_sets::search_nowhere;

/// A folder for pictures that is removed at the end of the test.
pub struct Album {
    folder: TempDir,
}

impl Album {
    pub fn new() -> Self {
        Album { folder: tempfile::tempdir().unwrap() }
    }

    /// Folders with this many pictures in each.
    pub fn of(folders: &[(&str, usize)]) -> Self {
        let album = Album::new();
        for (folder, count) in folders {
            album.fill(folder, *count);
        }
        album
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, and creates the folders above it.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }

    /// Adds `count` small pictures to a class.
    pub fn fill(&self, class: &str, count: usize) {
        for index in 0..count {
            self.write(&format!("{class}/{index:03}.png"), png(grey(5, 4, index as u8)));
        }
    }

    pub fn load(&self, wanted: &Wanted) -> Result<Dataset> {
        load(self.path().to_str().unwrap(), &search_nowhere(Vec::new()), wanted)
    }

    #[track_caller]
    pub fn loaded(&self) -> Dataset {
        self.load(&Wanted::default()).unwrap_or_else(|error: Error| panic!("{error}"))
    }
}

/// A picture of one grey value.
pub fn grey(width: u32, height: u32, value: u8) -> DynamicImage {
    GrayImage::from_pixel(width, height, image::Luma([value])).into()
}

/// Returns a picture whose red is the column and whose green is the row.
pub fn colour(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 7])).into()
}

pub fn png(picture: DynamicImage) -> Vec<u8> {
    encoded(picture, ImageFormat::Png)
}

pub fn jpeg(picture: DynamicImage) -> Vec<u8> {
    encoded(picture, ImageFormat::Jpeg)
}

fn encoded(picture: DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
