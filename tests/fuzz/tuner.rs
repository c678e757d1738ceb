//! The tuner's cache: a damaged cache is ignored.

use shadegrad::device::gpu::cache::{CacheFile, Subject};
use shadegrad::device::gpu::tuner::{Choices, TOPIC};

use crate::harness::{Target, fuzz};

#[test]
fn cache_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let subject = Subject {
        adapter: "Größter \"Adapter\"".into(),
        backend: "vulkan".into(),
        driver: "1.2".into(),
        compiler: "driver".into(),
        subgroup_size: Some(32),
        kernels: u64::MAX,
    };
    let cache = CacheFile::new(folder.path(), TOPIC, subject);
    let choices: Choices = [("matmul nt 64x128x784", "tiled"), ("gather", "rows")]
        .map(|(key, way)| (key.into(), way.into()))
        .into();
    cache.store(&choices).expect("it is writable");
    let sample = std::fs::read(cache.path()).expect("it is readable");
    let words: &[&[u8]] =
        &[b"{}", b"null", b"[[[[[[[[", b"\"", b",", b" ", b"\n", b"\\u0041", b"\"version\":1,"];
    let target = Target { name: "tuner", samples: vec![sample], dictionary: words, mend: None };
    fuzz(&target, |case| {
        std::fs::write(cache.path(), &case.bytes).expect("it is writable");
        let loaded: Choices = cache.load().unwrap_or_default();
        // White space and the like may change: then it says the same.
        assert!(loaded.is_empty() || loaded == choices, "{loaded:?}");
        !loaded.is_empty()
    });
}
