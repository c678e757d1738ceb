//! Model files: truncated, damaged and hostile files give an error of the kind `Model` and never a
//! panic, both when they are read and when they are exported.

use std::path::Path;

use rand::RngExt;
use serde_json::{Value, json};
use shadegrad::checkpoint::{About, SavedModel};
use shadegrad::data::pictures::Resize;
use shadegrad::export::{self, Format};
use shadegrad::rng::{Purpose, Stream};
use shadegrad::{ErrorKind, Result};
use tempfile::TempDir;

use crate::samples::small_model::small_model;

/// Files in a folder that is removed at the end of the test.
struct Shelf {
    folder: TempDir,
}

impl Shelf {
    fn new() -> Self {
        Shelf { folder: tempfile::tempdir().unwrap() }
    }

    /// Reads a file with these bytes. If it can be read, it is also exported in every format.
    fn try_bytes(&self, bytes: &[u8]) -> Result<SavedModel> {
        let path = self.folder.path().join("model.safetensors");
        std::fs::write(&path, bytes).unwrap();
        let model = SavedModel::read(&path)?;
        for format in [Format::Safetensors, Format::Onnx] {
            export::write(&model, format, &self.folder.path().join("exported"))?;
        }
        Ok(model)
    }

    /// Whether these bytes are a model. If not, checks the error.
    fn accepts(&self, bytes: &[u8]) -> bool {
        match self.try_bytes(bytes) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Model, "{error}");
                assert!(!error.to_string().contains('\n'), "{error}");
                false
            }
        }
    }
}

fn original() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    small_model().write(&path).unwrap();
    std::fs::read(&path).unwrap()
}

/// A file with this header, followed by 100 bytes.
fn with_header(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 100]].concat()
}

#[test]
fn a_model_comes_back_as_it_was() {
    assert_eq!(Shelf::new().try_bytes(&original()).unwrap(), small_model());
}

#[test]
fn a_file_of_an_older_version_says_nothing_of_pictures() {
    let mut about = serde_json::to_value(small_model().about).unwrap();
    about.as_object_mut().unwrap().remove("resize");
    let about: About = serde_json::from_value(about).unwrap();
    assert_eq!(about.resize, Resize::Crop);
}

#[test]
fn a_file_cut_at_any_length_is_refused() {
    let (shelf, bytes) = (Shelf::new(), original());
    for length in 0..bytes.len() {
        assert!(!shelf.accepts(&bytes[..length]), "{length} of {} bytes", bytes.len());
    }
    assert!(!shelf.accepts(&[&bytes[..], b"x"].concat()), "a byte too many");
}

#[test]
fn no_flipped_bit_makes_the_program_panic() {
    let (shelf, bytes) = (Shelf::new(), original());
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        shelf.accepts(&flipped);
    }
}

#[test]
fn noise_is_no_model() {
    let (shelf, bytes) = (Shelf::new(), original());
    let mut random = Stream::new(1, Purpose::Init, 0);
    for _ in 0..12_000 {
        let mut noisy = bytes.clone();
        for _ in 0..random.random_range(1..20) {
            let place = random.random_range(0..noisy.len());
            noisy[place] = random.random();
        }
        shelf.accepts(&noisy);
    }
}

#[test]
fn hostile_headers_are_refused() {
    let shelf = Shelf::new();
    let tensor = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"0.weight":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    let headers = [
        String::new(),
        "null".into(),
        "[]".into(),
        "{".into(),
        "{}".into(),
        "\"{}\"".into(),
        tensor("F32", "[25]", "[0,101]"),
        tensor("F32", "[24]", "[0,96]"),
        tensor("F32", "[26]", "[0,100]"),
        tensor("F32", "[25]", "[100,0]"),
        tensor("F32", "[25]", "[-1,99]"),
        tensor("F32", "[25]", "[1,101]"),
        tensor("F32", "[-25]", "[0,100]"),
        tensor("F32", "[25.0]", "[0,100]"),
        tensor("F32", "[18446744073709551615,18446744073709551615]", "[0,100]"),
        tensor("F32", "[4611686018427387904,4]", "[0,0]"),
        tensor("F32", "[25]", "[0,18446744073709551615]"),
        tensor("F64", "[12]", "[0,96]"),
        tensor("U8", "[100]", "[0,100]"),
        tensor("F16", "[50]", "[0,100]"),
        tensor("BF16", "[50]", "[0,100]"),
        tensor("F99", "[25]", "[0,100]"),
        tensor("", "[25]", "[0,100]"),
        format!("{{{}:1}}", "\"a\"".repeat(2)),
        "{\"a\":".repeat(50_000),
        "[".repeat(50_000),
    ];
    for header in headers {
        let shown: String = header.chars().take(80).collect();
        assert!(!shelf.accepts(&with_header(&header)), "{shown}");
    }
    for length in [0, 1, 7, 100_000_001, u64::MAX / 2, u64::MAX] {
        let file = [&length.to_le_bytes()[..], &[b' '; 100]].concat();
        assert!(!shelf.accepts(&file), "a header of {length} bytes");
    }
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut model = small_model();
        model.tensors[1].values[7] = value;
        let path = shelf.folder.path().join("written");
        model.write(&path).unwrap();
        assert!(!shelf.accepts(&std::fs::read(&path).unwrap()), "{value}");
    }
}

/// The file with changed metadata.
fn saying(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let bytes = original();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let text = header["__metadata__"]["shadegrad"].as_str().unwrap();
    let mut about: Value = serde_json::from_str(text).unwrap();
    change(&mut about);
    header["__metadata__"]["shadegrad"] = about.to_string().into();
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes[8 + length..]].concat()
}

#[test]
fn what_a_file_says_about_its_model_is_not_believed() {
    let shelf = Shelf::new();
    assert!(shelf.accepts(&saying(|_| {})), "the change itself does no harm");
    let lies = [
        ("model", json!("")),
        ("model", json!("linear:5")),
        ("model", json!("linear:6,relu,linear:2")),
        ("model", json!("linear:99999999999999999999")),
        ("model", json!("linear:1048576,linear:1048576")),
        ("model", json!(["linear:5"])),
        ("model", json!("x".repeat(100_000))),
        ("shape", json!([3, 2, 3])),
        ("shape", json!([0, 2, 2])),
        ("shape", json!([3, 2])),
        ("shape", json!([-3, 2, 2])),
        ("shape", json!([u64::MAX, u64::MAX, 2])),
        ("shape", json!([1 << 20, 1 << 20, 1 << 20])),
        ("classes", json!([])),
        ("classes", json!(["a", "b", "c"])),
        ("classes", json!([1, 2])),
        ("classes", json!(["cat", "\u{1b}[31mdog"])),
        ("classes", json!(null)),
        ("resize", json!("shrink")),
        ("normalisation", json!({ "mean": [0.5], "std": [0.25] })),
        ("normalisation", json!({ "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.0, 0.25] })),
        ("normalisation", json!({ "mean": [0.5, 0.5, 0.5], "std": [0.25, -1.0, 0.25] })),
        ("normalisation", json!({ "mean": [], "std": [] })),
        ("normalisation", json!({ "mean": [null, 0.5, 0.5], "std": [0.25, 0.25, 0.25] })),
        ("normalisation", json!({})),
    ];
    for (key, lie) in lies {
        let file = saying(|about| about[key] = lie.clone());
        let shown: String = lie.to_string().chars().take(80).collect();
        assert!(!shelf.accepts(&file), "{key}: {shown}");
    }
    assert!(!shelf.accepts(&saying(|about| *about = json!([]))));
}

#[test]
fn what_is_no_file_is_refused() {
    for path in ["missing.safetensors", "."] {
        let error = SavedModel::read(Path::new(path)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model);
    }
}
