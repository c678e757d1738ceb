//! How the names of files end: which are pictures that can be read, and which pictures that cannot.

use std::collections::BTreeMap;
use std::path::Path;

/// Endings of the formats that are read: PNG, and JPEG under each of its names.
const READ: [&str; 8] = ["png", "jpg", "jpeg", "jpe", "jfif", "jif", "pjpeg", "pjp"];

/// Endings of pictures in other formats: from the web, phones, scanners, cameras and microscopes.
const NOT_READ: [&str; 34] = [
    "webp", "gif", "bmp", "dib", "tif", "tiff", "heic", "heif", "hif", "avif", "jp2", "j2k", "jpx", "jxl",
    "jxr", "apng", "ppm", "pgm", "pbm", "pnm", "tga", "exr", "qoi", "psd", "dcm", "dng", "cr2", "cr3", "nef",
    "arw", "orf", "raf", "rw2", "pef",
];

/// What the name of a file says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A picture in a format that is read.
    Picture,
    /// A picture in a format that is not read.
    Unread,
    /// Anything else.
    Other,
}

impl Kind {
    pub(super) fn of(path: &Path) -> Kind {
        let ending = ending(path);
        match ending.as_str() {
            ending if READ.contains(&ending) => Kind::Picture,
            ending if NOT_READ.contains(&ending) => Kind::Unread,
            _ => Kind::Other,
        }
    }
}

/// Numbers of files by the endings of their names, in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    counts: BTreeMap<String, usize>,
}

impl Endings {
    pub(super) fn add(&mut self, path: &Path) {
        *self.counts.entry(ending(path)).or_default() += 1;
    }

    pub(super) fn extend(&mut self, others: &Endings) {
        for (ending, count) in &others.counts {
            *self.counts.entry(ending.clone()).or_default() += count;
        }
    }

    /// The number of all files.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// The endings without their dots, the most frequent first, with the number of files of each.
    /// The ending of a name without a dot is empty.
    pub fn by_count(&self) -> Vec<(&str, usize)> {
        let mut counts: Vec<_> =
            self.counts.iter().map(|(ending, count)| (ending.as_str(), *count)).collect();
        // Stable: equal counts stay in the order of the alphabet.
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// For people: `9 .webp, 3 .bmp`.
    pub fn list(&self) -> String {
        let one = |(ending, count): (&str, usize)| match ending {
            "" => format!("{count} without an ending"),
            ending => format!("{count} .{ending}"),
        };
        self.by_count().into_iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// The ending of a file's name in small letters, without its dot.
fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_known_whatever_their_capitals() {
        let kind = |name: &str| Kind::of(Path::new(name));
        for name in ["a.png", "a.JPG", "a.Jpeg", "a.jpe", "a.JFIF", "a.b.png"] {
            assert_eq!(kind(name), Kind::Picture, "{name}");
        }
        for name in ["a.webp", "a.WEBP", "a.gif", "a.bmp", "a.TIF", "a.tiff", "a.HEIC", "a.avif", "a.CR2"] {
            assert_eq!(kind(name), Kind::Unread, "{name}");
        }
        for name in ["png", "README", "a.txt", "a.png.txt", "a.svg", ".png", "a."] {
            assert_eq!(kind(name), Kind::Other, "{name}");
        }
    }

    #[test]
    fn files_are_counted_by_ending_the_most_frequent_first() {
        let mut endings = Endings::default();
        assert_eq!((endings.total(), endings.list()), (0, String::new()));
        for name in ["a.txt", "README", "a.csv", "b.CSV", "x.y.csv", "b.txt", "a.bin"] {
            endings.add(Path::new(name));
        }
        assert_eq!(endings.total(), 7);
        assert_eq!(endings.list(), "3 .csv, 2 .txt, 1 without an ending, 1 .bin");
    }
}
