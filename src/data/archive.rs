//! Strict streaming reader for `.tar.gz` archives: regular files and folders with plain, unique
//! names.
//!
//! Nothing is unpacked, and no name from an archive becomes a path on the disk. The official
//! archives of the data sets use none of tar's other features. Whatever could make two programs see
//! different contents (links, sparse files, renaming extensions) is therefore rejected. Extension
//! headers that only carry times or owners are skipped, so that an archive that was repacked with a
//! modern tar still loads.

use super::source::{Source, unlike};
use crate::text::sanitize::one_line;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;
use tar::{EntryType, Header};

const BLOCK: u64 = 512;

/// Maximum size of an extension header in bytes.
const MAX_EXTENSION: u64 = 64 * 1024;

/// Maximum number of members. The official archives have at most nine.
const MAX_MEMBERS: usize = 1000;

/// Keys that an extension header may set. All other keys could change the next member.
const HARMLESS_KEYS: [&str; 8] = ["atime", "ctime", "mtime", "uid", "gid", "uname", "gname", "comment"];

/// Prefixes of other harmless keys, under which macOS and BSD keep file attributes.
const HARMLESS_VENDORS: [&str; 2] = ["LIBARCHIVE.", "SCHILY.xattr."];

/// An archive that is read from start to end.
pub(crate) struct Archive {
    source: Source,
    names: BTreeSet<String>,
    /// Bytes of the current member that have not been read yet.
    unread: u64,
    padding: u64,
}

/// A regular file in an archive.
pub(crate) struct Member {
    /// Its relative name, with slashes and without `..`.
    pub(crate) name: String,
    /// Its size in bytes according to its header.
    pub(crate) size: u64,
}

impl Archive {
    /// Opens an archive, either gzip or plain tar.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Archive { source: Source::open(path)?, names: BTreeSet::new(), unread: 0, padding: 0 })
    }

    /// Returns the next regular file, or `None` after the last one. By then the whole compressed
    /// stream has been read and its checksum verified.
    ///
    /// Bytes of the previous file that were not read are skipped.
    pub(crate) fn next_member(&mut self) -> Result<Option<Member>> {
        loop {
            let left = self.unread + self.padding;
            self.source.skip(left, "an archive member")?;
            (self.unread, self.padding) = (0, 0);
            let Some(header) = self.next_header()? else {
                return Ok(None);
            };
            let size = self.size(&header)?;
            self.unread = size;
            self.padding = size.next_multiple_of(BLOCK) - size;
            match header.entry_type() {
                EntryType::Regular | EntryType::Continuous => {
                    let name = self.name(&header)?;
                    return Ok(Some(Member { name, size }));
                }
                EntryType::Directory => {
                    self.name(&header)?;
                }
                EntryType::XHeader | EntryType::XGlobalHeader => self.check_extension(size)?,
                other => {
                    let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
                    let found = format_args!("{} \"{}\"", kind_name(other), one_line(&name, 100));
                    return Err(self.unlike(found, "only regular files and folders"));
                }
            }
        }
    }

    /// Reads the next bytes of the current member until `buffer` is full.
    ///
    /// The buffer must not be larger than the rest of the member.
    pub(crate) fn read_exactly(&mut self, buffer: &mut [u8], name: &str) -> Result<()> {
        let read = self.source.fill(buffer)?;
        self.unread -= read as u64;
        if read < buffer.len() {
            let found = format_args!("the end of the archive inside {name}");
            return Err(self.unlike(found, format_args!("{} bytes more", self.unread)));
        }
        Ok(())
    }

    /// Returns how a message names a member of the archive.
    pub(crate) fn describe(&self, member: &str) -> String {
        format!("{} ({member})", self.source.file())
    }

    fn unlike(&self, found: impl std::fmt::Display, expected: impl std::fmt::Display) -> Error {
        unlike(self.source.file(), found, expected)
    }

    /// Returns the next header, or `None` at the end. Only zeros may follow the end.
    fn next_header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        let read = self.source.fill(header.as_mut_bytes())?;
        if read == 0 {
            return Ok(None);
        }
        if (read as u64) < BLOCK {
            let found = format_args!("the end of the archive inside a header, after {read} bytes");
            return Err(self.unlike(found, BLOCK));
        }
        if header.as_bytes().iter().all(|&byte| byte == 0) {
            let mut only_zeros = true;
            self.source.for_each_piece(|piece| only_zeros &= piece.iter().all(|&byte| byte == 0))?;
            if !only_zeros {
                return Err(self.unlike("data after the end of the archive", "zeros"));
            }
            return Ok(None);
        }
        let sum: u32 = (header.as_bytes().iter().enumerate())
            .map(|(index, &byte)| match index {
                // The checksum treats its own eight bytes as spaces.
                148..156 => u32::from(b' '),
                _ => u32::from(byte),
            })
            .sum();
        match header.cksum() {
            Ok(stated) if stated == sum => Ok(Some(header)),
            _ => Err(self.unlike("a damaged tar header", "a header with a valid checksum")),
        }
    }

    fn size(&self, header: &Header) -> Result<u64> {
        match header.entry_size() {
            // The limit keeps rounding up to whole blocks from overflowing.
            Ok(size) if size <= u64::MAX / 4 => Ok(size),
            _ => Err(self.unlike("a tar header without a valid size", "a number")),
        }
    }

    /// Returns the member's name if it is plain, relative and new.
    fn name(&mut self, header: &Header) -> Result<String> {
        let bytes = header.path_bytes();
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let plain = std::str::from_utf8(&bytes).is_ok()
            && !shown.starts_with('/')
            && !shown.contains(['\\', ':'])
            && !shown.chars().any(char::is_control)
            && shown.split('/').all(|part| part != "..");
        // Some tar programs put `./` before every name.
        let name = shown.strip_prefix("./").unwrap_or(&shown);
        let name = name.strip_suffix('/').unwrap_or(name);
        if !plain {
            let found = format_args!("a member named \"{}\"", one_line(&shown, 100));
            return Err(self.unlike(found, "a plain relative name"));
        }
        if self.names.len() >= MAX_MEMBERS {
            let found = format_args!("more than {MAX_MEMBERS} members");
            return Err(self.unlike(found, "a data set's archive"));
        }
        if !self.names.insert(name.to_owned()) {
            return Err(self.unlike(format_args!("two members named {name:?}"), "one"));
        }
        Ok(name.to_owned())
    }

    /// Reads an extension header and checks that it does not change the next member.
    ///
    /// The header is a list of records `LENGTH KEY=VALUE\n`. The length counts the whole record.
    fn check_extension(&mut self, size: u64) -> Result<()> {
        if size > MAX_EXTENSION {
            let found = format_args!("an extension header of {size} bytes");
            return Err(self.unlike(found, format_args!("at most {MAX_EXTENSION}")));
        }
        let bytes = self.source.bytes(size, "an extension header")?;
        self.unread = 0;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let Some((key, length)) = extension_record(rest) else {
                return Err(self.unlike("a damaged extension header", "LENGTH KEY=VALUE"));
            };
            let of_vendor = HARMLESS_VENDORS.iter().any(|start| key.starts_with(start));
            if !of_vendor && !HARMLESS_KEYS.contains(&key) {
                let found = format_args!("an extension header that sets \"{}\"", one_line(key, 100));
                return Err(self.unlike(found, "plain members"));
            }
            rest = &rest[length..];
        }
        Ok(())
    }
}

/// Returns the key and the length of the record at the start of `bytes`, or `None` if it is
/// damaged.
fn extension_record(bytes: &[u8]) -> Option<(&str, usize)> {
    let space = bytes.iter().position(|&byte| byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length)?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    let key = std::str::from_utf8(&record[..equals]).ok()?;
    (record.last() == Some(&b'\n')).then_some((key, length))
}

fn kind_name(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link => "a hard link",
        EntryType::Symlink => "a symbolic link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::GNUSparse => "a sparse file",
        EntryType::GNULongName | EntryType::GNULongLink => "a long name for the next member",
        _ => "an unknown kind of member,",
    }
}
