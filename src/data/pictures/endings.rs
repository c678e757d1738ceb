//! File name extensions: supported picture formats, unsupported ones, and other files.

use std::collections::BTreeMap;
use std::path::Path;

/// Extensions of the supported formats: PNG, and JPEG under each of its names.
const READ: [&str; 8] = ["png", "jpg", "jpeg", "jpe", "jfif", "jif", "pjpeg", "pjp"];

/// Extensions of unsupported formats: from the web, phones, scanners, cameras and microscopes.
const NOT_READ: [&str; 34] = [
    "webp", "gif", "bmp", "dib", "tif", "tiff", "heic", "heif", "hif", "avif", "jp2", "j2k", "jpx", "jxl",
    "jxr", "apng", "ppm", "pgm", "pbm", "pnm", "tga", "exr", "qoi", "psd", "dcm", "dng", "cr2", "cr3", "nef",
    "arw", "orf", "raf", "rw2", "pef",
];

/// The kind of a file, according to its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A picture in a supported format.
    Picture,
    /// A picture in an unsupported format.
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

/// Number of files by extension, in lower case.
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

    /// Returns the number of all files.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }

    /// Returns the extensions without dots and the number of files of each, the most frequent
    /// first. The extension of a name without a dot is empty.
    pub fn by_count(&self) -> Vec<(&str, usize)> {
        let mut counts: Vec<_> =
            self.counts.iter().map(|(ending, count)| (ending.as_str(), *count)).collect();
        // The sort is stable, so equal counts stay in alphabetical order.
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// Lists the extensions for people: `9 .webp, 3 .bmp`.
    pub fn list(&self) -> String {
        let one = |(ending, count): (&str, usize)| match ending {
            "" => format!("{count} without an extension"),
            ending => format!("{count} .{ending}"),
        };
        self.by_count().into_iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Returns the extension of a file name in lower case, without its dot.
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
        assert_eq!(endings.list(), "3 .csv, 2 .txt, 1 without an extension, 1 .bin");
    }
}
