//! Pictures and image folders.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use flate2::Crc;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use shadegrad::ErrorKind::Data;
use shadegrad::data::ImageShape;
use shadegrad::data::load::load;
use shadegrad::data::pictures::{Resize, Size, Wanted, read};

use crate::harness::{Target, dictionary, fuzz, taken};
use crate::samples::data_sets::search_nowhere;

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("memory takes everything");
    bytes.into_inner()
}

fn samples() -> Vec<Vec<u8>> {
    let grey: DynamicImage = GrayImage::from_fn(9, 7, |x, y| image::Luma([(x * y) as u8])).into();
    let colour: DynamicImage = RgbImage::from_fn(8, 11, |x, y| image::Rgb([x as u8, y as u8, 7])).into();
    let others = [colour.to_rgba8().into(), colour.to_rgb16().into()];
    let pngs = [&grey, &colour, &others[0], &others[1]].map(|picture| encoded(picture, ImageFormat::Png));
    let jpegs = [&grey, &colour].map(|picture| encoded(picture, ImageFormat::Jpeg));
    pngs.into_iter().chain(jpegs).collect()
}

/// Repairs the checksums of a PNG file's chunks, as far as they can be followed.
fn with_png_checksums(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        let Some(chunk) = bytes.get(at + 4..at + 8 + length) else { break };
        let mut checksum = Crc::new();
        checksum.update(chunk);
        let end = at + 8 + length;
        if let Some(place) = bytes.get_mut(end..end + 4) {
            place.copy_from_slice(&checksum.sum().to_be_bytes());
        }
        at = end + 4;
    }
    bytes
}

#[test]
fn png_and_jpeg() {
    const SHAPE: ImageShape = ImageShape { channels: 3, height: 6, width: 6 };
    let (samples, mend) = (samples(), Some(with_png_checksums as fn(Vec<u8>) -> Vec<u8>));
    let target = Target { name: "pictures", samples, dictionary: dictionary!("pictures"), mend };
    fuzz(&target, |case| {
        let path = case.write("picture");
        let read = read(&[path], SHAPE, Resize::Crop).remove(0);
        taken(read, &[Data]).inspect(|bytes| assert_eq!(bytes.len(), SHAPE.pixels())).is_some()
    });
}

/// A folder tree as a file, with one path per line. A trailing `/` makes a folder. The first byte
/// of a line selects the sample that the file contains, or other contents.
const TREES: [&str; 6] = [
    "0cat/a.png\n1cat/b.png\n0dog/a.png\n4dog/b.jpg",
    "0train/cat/a.png\n0train/dog/a.png\n0test/cat/a.png\n0test/dog/a.png",
    "0train/cat/a.png\n0val/cat/a.png\n0Test-set/cat/a.png\n5train/dog/d.JPEG",
    "0train/a.png\n1train/b.png\n0bus/a.png\n0bus/b.png\n9bus/notes.txt",
    "0set/Training/cat/a.png\n0set/Training/dog/a.png\n0set/images_val/DOG/a.png\n0x/y.webp",
    "0cat/deep/er/a.png\n0cat/deep/b.png\n0dog/.hidden.png\n0dog/a.png\n0dog/b.png\n0.git/a.png",
];

/// Creates the files of a tree's text, as far as the disk permits.
fn build(root: &Path, text: &[u8], files: &[Vec<u8>]) {
    for line in text.split(|&byte| byte == b'\n').take(40) {
        let [kind, path @ ..] = line else { continue };
        let path = String::from_utf8_lossy(path).replace('\0', "0");
        // Paths outside the test's folder are skipped.
        let path: Vec<_> = path.split('/').filter(|part| !["", ".", ".."].contains(part)).collect();
        let [folders @ .., name] = &path[..] else { continue };
        let folder = folders.iter().fold(root.to_path_buf(), |folder, part| folder.join(part));
        // Paths that cannot be created are skipped (a file in place of a folder, or a name that is
        // too long).
        fs::create_dir_all(&folder).ok();
        let file = kind.checked_sub(b'0').and_then(|kind| files.get(usize::from(kind)));
        fs::write(folder.join(name), file.map_or(line, Vec::as_slice)).ok();
    }
}

#[test]
fn folders() {
    let files = samples();
    let samples = TREES.map(|tree| tree.as_bytes().to_vec()).to_vec();
    let target = Target { name: "folders", samples, dictionary: dictionary!("folders"), mend: None };
    let search = search_nowhere(Vec::new());
    fuzz(&target, |case| {
        let root = case.folder.join("pictures");
        fs::create_dir(&root).expect("the folder is writable");
        build(&root, &case.bytes, &files);
        let wanted = Wanted { size: Size::Side(5), ..Wanted::default() };
        let loaded = load(root.to_str().expect("a plain path"), &search, &wanted);
        fs::remove_dir_all(&root).expect("it can be removed");
        let dataset = taken(loaded, &[Data]);
        dataset
            .inspect(|dataset| {
                for split in [&dataset.train, &dataset.test].into_iter().chain(&dataset.validation) {
                    assert!(!split.is_empty());
                    assert_eq!(split.images.len(), split.len() * dataset.shape.pixels());
                    assert!(split.labels.iter().all(|&label| (label as usize) < dataset.classes.len()));
                }
                assert!(!dataset.classes.iter().any(|class| class.contains(char::is_control)));
                assert!(dataset.warnings.iter().all(|warning| !warning.contains(char::is_control)));
            })
            .is_some()
    });
}
