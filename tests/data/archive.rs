//! Malicious archives that try to write elsewhere, look different to different programs, or exhaust
//! the memory. Each contains a valid data set, so that only the malicious member can cause an
//! error.

use crate::samples::data_sets::{
    append, cifar_archive, cifar_files, expect_data_error, gzip, search_nowhere, small_cifar_set,
};
use shadegrad::Result;
use shadegrad::data::Dataset;
use shadegrad::data::cifar::CIFAR_100;
use shadegrad::data::load::load;
use shadegrad::data::pictures::Wanted;
use std::fs;
use tar::{Builder, EntryType, Header};

/// Loads the small set from a tar with these bytes, and checks that no other file was created.
fn load_tar(bytes: &[u8]) -> Result<Dataset> {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join(CIFAR_100.archive), gzip(bytes)).unwrap();
    let mut search = search_nowhere(vec![small_cifar_set(&CIFAR_100, &[])]);
    search.data_dir = Some(inner.clone());
    let result = load("small-cifar", &search, &Wanted::default());
    assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    result
}

/// Returns a tar with a valid set, after the members that `spoil` adds.
fn tar_with(spoil: impl FnOnce(&mut Builder<Vec<u8>>)) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    spoil(&mut builder);
    for (name, content) in cifar_files(&CIFAR_100) {
        append(&mut builder, &format!("cifar-100-binary/{name}"), &content);
    }
    builder.into_inner().unwrap()
}

/// Asserts that a tar with the members that `spoil` adds is refused, with these parts of a message.
#[track_caller]
fn refused(spoil: impl FnOnce(&mut Builder<Vec<u8>>), parts: &[&str]) {
    expect_data_error(load_tar(&tar_with(spoil)), parts);
}

/// Adds a member with any name, including names that the tar crate would reject.
fn append_raw(builder: &mut Builder<Vec<u8>>, kind: EntryType, name: &[u8], content: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

fn extension(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let length = rest.len() + 2 + usize::from(rest.len() + 2 > 99);
    format!("{length}{rest}").into_bytes()
}

#[test]
fn the_set_itself_loads() {
    assert_eq!(load_tar(&tar_with(|_| {})).unwrap().train.len(), 2);
}

#[test]
fn unlisted_plain_files_and_folders_are_ignored() {
    let tar = tar_with(|builder| {
        append_raw(builder, EntryType::Directory, b"cifar-100-binary/", b"");
        append_raw(builder, EntryType::Regular, b"cifar-100-binary/readme.html", b"hi");
        append_raw(builder, EntryType::Regular, b"train.bin", b"not in the folder");
    });
    assert_eq!(load_tar(&tar).unwrap().train.len(), 2);
}

#[test]
fn names_may_start_with_a_dot() {
    let mut builder = Builder::new(Vec::new());
    for (name, content) in cifar_files(&CIFAR_100) {
        let name = format!("./cifar-100-binary/{name}");
        append_raw(&mut builder, EntryType::Regular, name.as_bytes(), &content);
    }
    let tar = builder.into_inner().unwrap();
    assert_eq!(load_tar(&tar).unwrap().train.len(), 2);
}

#[test]
fn times_and_owners_in_extensions_are_ignored() {
    let tar = tar_with(|builder| {
        let records = [extension("mtime", "1.5"), extension("uname", "someone")].concat();
        append_raw(builder, EntryType::XHeader, b"PaxHeaders/x", &records);
    });
    assert_eq!(load_tar(&tar).unwrap().train.len(), 2);
}

#[test]
fn only_plain_names_are_accepted() {
    for name in [
        "../evil",
        "cifar-100-binary/../../evil",
        "..",
        "/etc/passwd",
        "C:\\evil",
        "c:evil",
        "a\\..\\evil",
        "bell\x07",
    ] {
        for kind in [EntryType::Regular, EntryType::Directory] {
            let tar = tar_with(|builder| append_raw(builder, kind, name.as_bytes(), b""));
            let parts = [CIFAR_100.archive, "a member named", "a plain relative name"];
            expect_data_error(load_tar(&tar), &parts);
        }
    }
    refused(|builder| append_raw(builder, EntryType::Regular, b"\xff\xfe", b""), &["a plain relative name"]);
}

/// Nothing is written under a name from an archive, so names that are special on some system are
/// ordinary names.
#[test]
fn names_that_are_special_elsewhere_are_only_names() {
    for name in [
        "CON",
        "cifar-100-binary/NUL",
        "cifar-100-binary/aux.bin",
        "COM1.txt",
        "LPT9",
        "cifar-100-binary/train.bin.",
        "cifar-100-binary/train.bin ",
        "cifar-100-binary/TRAIN.BIN",
        "cifar-100-binary//train.bin",
        "cifar-100-binary/./train.bin",
        "train.bin~1",
        "~/evil",
        "$HOME/evil",
        "-rf",
        "cifar-100-binary/...",
        "cifar-100-binary/trai\u{301}n.bin",
    ] {
        let tar = tar_with(|builder| append_raw(builder, EntryType::Regular, name.as_bytes(), &[0; 3074]));
        let whole = load_tar(&tar_with(|_| {})).unwrap();
        assert_eq!(load_tar(&tar).unwrap().train, whole.train, "{name}");
    }
}

/// Both halves of a long name together are one name.
#[test]
fn a_prefix_leads_no_further_than_a_name() {
    for (prefix, name) in
        [("..", "evil"), ("/etc", "passwd"), ("a/..", "../evil"), ("C:", "evil"), ("a\\", "b")]
    {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.as_mut_bytes()[345..][..prefix.len()].copy_from_slice(prefix.as_bytes());
        header.set_entry_type(EntryType::Regular);
        header.set_size(0);
        header.set_cksum();
        refused(
            |builder| builder.append(&header, &[][..]).unwrap(),
            &["a member named", "a plain relative name"],
        );
    }
}

/// Some programs read a name up to its first zero, others up to the end of the field.
#[test]
fn a_name_ends_at_its_first_zero() {
    let name = b"cifar-100-binary/train.bin\0.txt";
    refused(|builder| append_raw(builder, EntryType::Regular, name, &[0; 3074]), &["two members named"]);
    let name = b"\0../evil";
    let tar = tar_with(|builder| append_raw(builder, EntryType::Regular, name, b""));
    assert_eq!(load_tar(&tar).unwrap().train.len(), 2);
}

#[test]
fn only_files_and_folders_are_accepted() {
    for (kind, complaint) in [
        (EntryType::Symlink, "a symbolic link"),
        (EntryType::Link, "a hard link"),
        (EntryType::Char, "a device"),
        (EntryType::Block, "a device"),
        (EntryType::Fifo, "a pipe"),
        (EntryType::GNUSparse, "a sparse file"),
        (EntryType::GNULongName, "a long name"),
        (EntryType::GNULongLink, "a long name"),
        (EntryType::new(b'V'), "an unknown kind of member"),
    ] {
        let name = b"cifar-100-binary/train.bin";
        refused(
            |builder| append_raw(builder, kind, name, b""),
            &[CIFAR_100.archive, complaint, "only regular files"],
        );
    }
}

#[test]
fn a_long_name_is_refused() {
    let long = "x".repeat(4096);
    refused(|builder| append(builder, &long, b"content"), &[CIFAR_100.archive, "a long name"]);
}

#[test]
fn extensions_that_change_members_are_refused() {
    for key in ["path", "linkpath", "size", "GNU.sparse.name", "hdrcharset"] {
        for kind in [EntryType::XHeader, EntryType::XGlobalHeader] {
            let records = extension(key, "cifar-100-binary/train.bin");
            let tar = tar_with(|builder| append_raw(builder, kind, b"x", &records));
            let complaint = format!("an extension header that sets {key:?}");
            expect_data_error(load_tar(&tar), &[CIFAR_100.archive, &complaint]);
        }
    }
}

#[test]
fn damaged_extensions_are_refused() {
    for records in [
        &b"no length"[..],
        b"99 mtime=1\n",
        b"0 mtime=1\n",
        b"11 mtime=1x",
        b"18446744073709551615 mtime=1\n",
        b"-5 mtime=1\n",
        b"8 mtime\n",
    ] {
        refused(
            |builder| append_raw(builder, EntryType::XHeader, b"x", records),
            &["a damaged extension header"],
        );
    }
    let large = vec![b'1'; 100_000];
    refused(
        |builder| append_raw(builder, EntryType::XHeader, b"x", &large),
        &["an extension header of 100000 bytes"],
    );
}

#[test]
fn two_members_of_one_name_are_refused() {
    for other in ["cifar-100-binary/train.bin", "./cifar-100-binary/train.bin"] {
        let tar = tar_with(|builder| {
            append_raw(builder, EntryType::Regular, other.as_bytes(), &[0; 3074]);
        });
        expect_data_error(load_tar(&tar), &["two members named"]);
    }
}

#[test]
fn a_size_beyond_the_archive_is_an_error() {
    for size in [7 * 3074, 1 << 40, u64::MAX, u64::MAX - 511] {
        let mut builder = Builder::new(Vec::new());
        let mut header = Header::new_gnu();
        header.set_path("cifar-100-binary/train.bin").unwrap();
        header.set_size(size - size % 3074);
        header.set_cksum();
        builder.get_mut().extend(header.as_bytes());
        builder.get_mut().extend([0; 3074]);
        expect_data_error(load_tar(builder.get_ref()), &[CIFAR_100.archive]);
    }
}

#[test]
fn every_changed_bit_of_a_header_is_noticed_or_harmless() {
    let tar = tar_with(|_| {});
    let whole = load_tar(&tar).unwrap();
    let mut errors = 0;
    for index in 0..512 {
        let mut changed = tar.clone();
        changed[index] ^= 0x01;
        match load_tar(&changed) {
            Ok(found) => assert_eq!(found.train, whole.train),
            Err(error) => {
                expect_data_error::<()>(Err(error), &[CIFAR_100.archive]);
                errors += 1;
            }
        }
    }
    // Only changes of the bytes around the digits of the checksum may go undetected.
    assert!(errors >= 504, "{errors}");
}

#[test]
fn a_changed_header_with_a_right_checksum_is_noticed_or_harmless() {
    let tar = tar_with(|_| {});
    let whole = load_tar(&tar).unwrap();
    // Changes everything except the checksum itself.
    for index in (0..148).chain(156..512) {
        for value in [0x00, b'/', b'1', b'7', b'L', b'x', 0x80, 0xff] {
            let mut changed = tar.clone();
            changed[index] = value;
            let mut header = Header::new_old();
            header.as_mut_bytes().copy_from_slice(&changed[..512]);
            header.set_cksum();
            changed[..512].copy_from_slice(header.as_bytes());
            match load_tar(&changed) {
                Ok(found) => assert_eq!(found.train, whole.train, "{index} {value}"),
                Err(error) => expect_data_error::<()>(Err(error), &[CIFAR_100.archive]),
            }
        }
    }
}

#[test]
fn data_after_the_end_of_the_archive_is_refused() {
    let mut tar = tar_with(|_| {});
    tar.extend([0; 4096]);
    assert_eq!(load_tar(&tar).unwrap().train.len(), 2);
    tar.push(1);
    expect_data_error(load_tar(&tar), &["data after the end"]);
}

#[test]
fn many_members_are_refused() {
    let tar = tar_with(|builder| {
        for index in 0..1100 {
            append(builder, &format!("file {index}"), b"");
        }
    });
    expect_data_error(load_tar(&tar), &["more than 1000 members"]);
}

#[test]
fn an_archive_in_another_format_is_an_error() {
    for bytes in [&b"PK\x03\x04 this is a zip"[..], b"", &[0; 10_240]] {
        expect_data_error(load_tar(bytes), &[CIFAR_100.archive]);
    }
    let twice = gzip(&cifar_archive(&CIFAR_100, &cifar_files(&CIFAR_100)));
    expect_data_error(load_tar(&twice), &[CIFAR_100.archive]);
}
