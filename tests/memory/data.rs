//! Decompression bombs do not fill the memory.

use crate::samples::data_sets::{
    cifar_archive, cifar_files, expect_data_error, gzip, idx_images, idx_labels, search_nowhere,
    small_cifar_set,
};
use crate::samples::resident;
use shadegrad::data::cifar::CIFAR_10;
use shadegrad::data::idx::read_split;
use shadegrad::data::load::load;
use shadegrad::data::pictures::Wanted;
use shadegrad::data::verify::verify;
use std::fs;
use std::path::Path;

const MEBIBYTE: usize = 1024 * 1024;

/// Compresses `start` followed by `mebibytes` of zeros, without ever holding them in memory.
fn bomb(path: &Path, start: &[u8], mebibytes: usize) {
    use std::io::Write;
    let file = fs::File::create(path).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    encoder.write_all(start).unwrap();
    let zeros = vec![0; MEBIBYTE];
    for _ in 0..mebibytes {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap();
}

pub fn bombs_are_refused_before_they_fill_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("images.gz");
    let labels = folder.path().join("labels");
    fs::write(&labels, gzip(&idx_labels(&[0]))).unwrap();

    // A header that announces 600 MiB of pixels, all of them zeros, in 600 KiB.
    let mut header = idx_images(0, 1024, 1024);
    header[4..8].copy_from_slice(&600_u32.to_be_bytes());
    bomb(&path, &header, 600);
    expect_data_error(read_split(&path, &labels, None), &["images.gz", "promises"]);

    // A small header, with more zeros after it than it announces.
    bomb(&path, &idx_images(1, 2, 3), 600);
    expect_data_error(read_split(&path, &labels, None), &["images.gz", "more bytes"]);

    // A tar member of 600 MiB that is not wanted, and one that is.
    for name in ["cifar-10-batches-bin/other", "cifar-10-batches-bin/data_batch_1.bin"] {
        let mut header = tar::Header::new_gnu();
        header.set_path(name).unwrap();
        header.set_size(3073 * 204_000);
        header.set_cksum();
        bomb(&folder.path().join(CIFAR_10.archive), header.as_bytes(), 600);
        let archive = cifar_archive(&CIFAR_10, &cifar_files(&CIFAR_10));
        let mut search = search_nowhere(vec![small_cifar_set(&CIFAR_10, &archive)]);
        search.data_dir = Some(folder.path().to_owned());
        let parts = [CIFAR_10.archive, "decompression bomb"];
        expect_data_error(load("small-cifar", &search, &Wanted::default()), &parts);
        let set = &search.catalogue.sets[0];
        let reports = verify(set, &search.require(set).unwrap()).unwrap();
        assert!(reports[0].fault.as_ref().unwrap().contains(parts[1]));
    }
    assert!(resident::peak() < 300, "{} MiB", resident::peak());
}
