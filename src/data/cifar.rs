//! CIFAR's binary files: records of one or two label bytes and 3,072 pixels, without a header.
//!
//! The pixels of a record are three planes (red, green, blue) of 32 rows of 32 bytes, which is the
//! order of [`Split`]. The files are read from a folder or streamed from a `.tar.gz`.
//!
//! ```
//! use shadegrad::data::cifar::CIFAR_100;
//!
//! assert_eq!((CIFAR_100.class_count(), CIFAR_100.image_files().count()), (100, 2));
//! ```

use super::archive::{Archive, Member};
use super::source::{Source, unlike};
use super::{ImageShape, Split};
use crate::Result;
use crate::text::sanitize::one_line;
use rayon::prelude::*;
use std::fmt;
use std::path::Path;

/// Shape of every image of CIFAR-10 and CIFAR-100.
pub const SHAPE: ImageShape = ImageShape { channels: 3, height: 32, width: 32 };

/// Number of records read at a time.
const RECORDS_AT_ONCE: usize = 64;

/// Number of records by which memory grows while an archive is read: 3 MiB.
const RECORDS_PER_GROWTH: usize = 1024;

/// Maximum number of records in a file: 1.5 GiB, ten times the size of any official file.
const MAX_RECORDS: u64 = 500_000;

/// Maximum size of a file of class names in bytes.
const MAX_NAMES: u64 = 64 * 1024;

/// The differences between CIFAR-10 and CIFAR-100.
#[derive(Debug, PartialEq, Eq)]
pub struct Cifar {
    /// Name of the official archive.
    pub archive: &'static str,
    /// Name of the folder in the official archive.
    pub folder: &'static str,
    /// The files of the training split, in order.
    pub train: &'static [&'static str],
    /// The file of the test split.
    pub test: &'static str,
    /// The file with one class name per line.
    pub names: &'static str,
    /// Number of values that each label byte may have. The last label is the class.
    pub labels: &'static [usize],
}

/// CIFAR-10: ten classes, five training files.
pub static CIFAR_10: Cifar = Cifar {
    archive: "cifar-10-binary.tar.gz",
    folder: "cifar-10-batches-bin",
    train: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: "test_batch.bin",
    names: "batches.meta.txt",
    labels: &[10],
};

/// CIFAR-100: each image has a coarse label (20 superclasses) and a fine one (100 classes).
pub static CIFAR_100: Cifar = Cifar {
    archive: "cifar-100-binary.tar.gz",
    folder: "cifar-100-binary",
    train: &["train.bin"],
    test: "test.bin",
    names: "fine_label_names.txt",
    labels: &[20, 100],
};

/// The contents of CIFAR files.
pub struct Contents {
    /// Class names in the order of the labels, if the file of names exists.
    pub classes: Option<Vec<String>>,
    /// The training images, in the order of the files.
    pub train: Split,
    /// The test images.
    pub test: Split,
}

impl Cifar {
    /// Number of classes.
    pub fn class_count(&self) -> usize {
        self.labels[self.labels.len() - 1]
    }

    /// Returns the files with images: those of the training split, then that of the test split.
    pub fn image_files(&self) -> impl Iterator<Item = &'static str> {
        self.train.iter().copied().chain([self.test])
    }

    fn record(&self) -> usize {
        self.labels.len() + SHAPE.pixels()
    }

    /// Reads the `.bin` files in `folder`.
    ///
    /// # Errors
    /// [`ErrorKind::Data`](crate::ErrorKind::Data) for files that break the format,
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) where one cannot be read.
    pub fn read_folder(&self, folder: &Path) -> Result<Contents> {
        let (train, test) =
            rayon::join(|| self.read_files(folder, self.train), || self.read_files(folder, &[self.test]));
        let (train, test) = (train?, test?);
        let names = folder.join(self.names);
        let classes = if names.exists() {
            let (mut source, size) = Source::open_plain(&names)?;
            check_names_size(size, names.display())?;
            let text = source.bytes(size, "class names")?;
            Some(self.parse_names(&text, names.display())?)
        } else {
            None
        };
        Ok(Contents { classes, train, test })
    }

    /// Reads the official archive or an equivalent one: a `.tar.gz` at `path` with the files in
    /// [`folder`](Cifar::folder), in any order. Other files in it are ignored.
    ///
    /// # Errors
    /// As [`read_folder`](Cifar::read_folder), and for anything in the archive that is not a plain
    /// file or folder.
    pub fn read_archive(&self, path: &Path) -> Result<Contents> {
        let files: Vec<&str> = self.image_files().collect();
        let mut parts: Vec<Option<Split>> = files.iter().map(|_| None).collect();
        let mut classes = None;
        let mut archive = Archive::open(path)?;
        while let Some(member) = archive.next_member()? {
            let Some(file) = self.file_of(&member) else {
                continue;
            };
            let described = archive.describe(&member.name);
            if let Some(index) = files.iter().position(|&known| known == file) {
                parts[index] = Some(self.read_member(&mut archive, &member, &described)?);
            } else if file == self.names {
                check_names_size(member.size, &described)?;
                let mut text = vec![0; member.size as usize];
                archive.read_exactly(&mut text, &member.name)?;
                classes = Some(self.parse_names(&text, &described)?);
            }
        }
        let mut complete = Vec::with_capacity(parts.len());
        for (part, file) in parts.into_iter().zip(files) {
            let Some(part) = part else {
                let found = format_args!("no {}/{file}", self.folder);
                return Err(unlike(path.display(), found, "all files of the data set"));
            };
            complete.push(part);
        }
        let test = complete.pop().unwrap_or_default();
        Ok(Contents { classes, train: join(complete), test })
    }

    /// Returns the name of `member` within [`folder`](Cifar::folder), or `None` if it is elsewhere.
    pub(crate) fn file_of<'a>(&self, member: &'a Member) -> Option<&'a str> {
        member.name.strip_prefix(self.folder)?.strip_prefix('/')
    }

    /// Reads all files in parallel, each directly into its part of the split.
    fn read_files(&self, folder: &Path, names: &[&str]) -> Result<Split> {
        let mut files = Vec::with_capacity(names.len());
        let mut total = 0;
        for name in names {
            let path = folder.join(name);
            let (source, size) = Source::open_plain(&path)?;
            let count = self.count_records(size, &path.display())?;
            total += count;
            files.push((path, source, count));
        }
        let mut split =
            Split { images: vec![0; total * SHAPE.pixels()], labels: vec![0; total], ..Split::default() };
        let (mut images, mut labels) = (&mut split.images[..], &mut split.labels[..]);
        let mut tasks = Vec::with_capacity(files.len());
        for (path, source, count) in files {
            let (these_images, other_images) = images.split_at_mut(count * SHAPE.pixels());
            let (these_labels, other_labels) = labels.split_at_mut(count);
            (images, labels) = (other_images, other_labels);
            tasks.push((path, source, these_images, these_labels));
        }
        tasks.into_par_iter().try_for_each(|(path, mut source, images, labels)| {
            let read = |buffer: &mut [u8]| source.exactly(buffer, "records");
            self.read_records(&path.display(), read, 0, images, labels)
        })?;
        Ok(split)
    }

    /// Reads a member into memory that grows with it, because its size is only what the archive
    /// claims.
    fn read_member(&self, archive: &mut Archive, member: &Member, described: &str) -> Result<Split> {
        let count = self.count_records(member.size, &described)?;
        let mut split = Split::default();
        while split.len() < count {
            let start = split.len();
            let end = count.min(start + RECORDS_PER_GROWTH);
            split.images.resize(end * SHAPE.pixels(), 0);
            split.labels.resize(end, 0);
            self.read_records(
                &described,
                |buffer| archive.read_exactly(buffer, &member.name),
                start,
                &mut split.images[start * SHAPE.pixels()..],
                &mut split.labels[start..],
            )?;
        }
        Ok(split)
    }

    fn count_records(&self, size: u64, file: &impl fmt::Display) -> Result<usize> {
        let record = self.record() as u64;
        let count = size / record;
        if count == 0 || count > MAX_RECORDS || !size.is_multiple_of(record) {
            let found = format_args!("{size} bytes");
            let expected = format_args!("1 to {MAX_RECORDS} records of {record} bytes and nothing else");
            return Err(unlike(file, found, expected));
        }
        Ok(count as usize)
    }

    /// Reads one record per label. `first` is the index of the first record in the file, and `read`
    /// fills the buffer that it is given.
    fn read_records(
        &self,
        file: &impl fmt::Display,
        mut read: impl FnMut(&mut [u8]) -> Result<()>,
        first: usize,
        images: &mut [u8],
        labels: &mut [u32],
    ) -> Result<()> {
        let mut buffer = vec![0; self.record() * RECORDS_AT_ONCE];
        let mut index = first;
        for (images, labels) in
            images.chunks_mut(SHAPE.pixels() * RECORDS_AT_ONCE).zip(labels.chunks_mut(RECORDS_AT_ONCE))
        {
            let records = &mut buffer[..self.record() * labels.len()];
            read(records)?;
            for ((record, image), label) in
                records.chunks_exact(self.record()).zip(images.chunks_exact_mut(SHAPE.pixels())).zip(labels)
            {
                let (label_bytes, pixels) = record.split_at(self.labels.len());
                *label = self.check_label(label_bytes, index, file)?;
                image.copy_from_slice(pixels);
                index += 1;
            }
        }
        Ok(())
    }

    fn check_label(&self, bytes: &[u8], index: usize, file: &impl fmt::Display) -> Result<u32> {
        for (&byte, &values) in bytes.iter().zip(self.labels) {
            if usize::from(byte) >= values {
                let found = format_args!("label {byte} in record {index}");
                return Err(unlike(file, found, format_args!("labels below {values}")));
            }
        }
        Ok(u32::from(bytes[bytes.len() - 1]))
    }

    /// Parses one name per line. Empty lines are skipped; the official file ends with one.
    fn parse_names(&self, bytes: &[u8], file: impl fmt::Display) -> Result<Vec<String>> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(unlike(file, "bytes that are not UTF-8", "class names"));
        };
        let names: Vec<String> =
            text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        let expected = self.class_count();
        if names.len() != expected {
            return Err(unlike(file, format_args!("{} class names", names.len()), expected));
        }
        if let Some(name) = names.iter().find(|name| name.contains(char::is_control)) {
            let found = format_args!("class name \"{}\"", one_line(name, 100));
            return Err(unlike(file, found, "a name without control characters"));
        }
        Ok(names)
    }
}

/// Joins several splits in order, freeing each one after it has been copied.
fn join(parts: Vec<Split>) -> Split {
    let images: usize = parts.iter().map(|part| part.images.len()).sum();
    let mut parts = parts.into_iter();
    let mut joined = parts.next().unwrap_or_default();
    joined.images.reserve_exact(images - joined.images.len());
    for part in parts {
        joined.images.extend_from_slice(&part.images);
        joined.labels.extend_from_slice(&part.labels);
        joined.files.extend_from_slice(&part.files);
    }
    joined
}

fn check_names_size(size: u64, file: impl fmt::Display) -> Result<()> {
    if size > MAX_NAMES {
        let expected = format_args!("at most {MAX_NAMES} of class names");
        return Err(unlike(file, format_args!("{size} bytes"), expected));
    }
    Ok(())
}
