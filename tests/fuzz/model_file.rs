//! Safetensors files: as a model for inference, and as initial weights.

use std::path::Path;

use shadegrad::ErrorKind::{Data, Model};
use shadegrad::checkpoint::{NamedTensor, SavedModel};
use shadegrad::config::Key;
use shadegrad::data::{Dataset, Split};
use shadegrad::device::cpu::Cpu;
use shadegrad::train::{Trainer, logits};

use crate::harness::{Target, dictionary, fuzz, taken};
use crate::samples::small_model::{SHAPE, small_model};
use crate::samples::small_run::resolved;

fn samples() -> Vec<Vec<u8>> {
    let without = SavedModel { about: None, ..small_model() };
    [small_model(), without].map(|model| model.to_bytes().expect("it is a model")).to_vec()
}

/// Returns the bytes of all tensors.
const DATA: usize = 4 * (5 + 60 + 2 + 10);

/// Updates the length of the header as if the bytes after it were unchanged.
fn with_header_length(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(length) = bytes.len().checked_sub(8 + DATA) {
        bytes[..8].copy_from_slice(&(length as u64).to_le_bytes());
    }
    bytes
}

#[test]
fn models() {
    let mend = Some(with_header_length as fn(Vec<u8>) -> Vec<u8>);
    let target =
        Target { name: "safetensors", samples: samples(), dictionary: dictionary!("safetensors"), mend };
    let device = Cpu::new();
    fuzz(&target, |case| {
        let read = SavedModel::from_bytes(&case.bytes, Path::new("model.safetensors"));
        let Some(model) = taken(read, &[Model]) else { return false };
        assert!(model.tensors.iter().all(NamedTensor::is_finite));
        let split = Split { images: vec![7; 2 * SHAPE.pixels()], labels: vec![0; 2], ..Split::default() };
        // The weights need not fit the model that the file names.
        let answered = taken(logits(&model, split, SHAPE, &device), &[Model]);
        answered.inspect(|logits| assert_eq!(logits.len() % 2, 0)).is_some()
    });
}

/// Four images of two classes.
pub fn dataset() -> Dataset {
    let split = Split {
        images: (0..4 * SHAPE.pixels()).map(|value| value as u8).collect(),
        labels: vec![0, 1, 0, 1],
        ..Split::default()
    };
    Dataset {
        name: "noise".into(),
        shape: SHAPE,
        classes: vec!["a".into(), "b".into()],
        train: split.clone(),
        test: split,
        ..Dataset::default()
    }
}

#[test]
fn first_weights() {
    let mend = Some(with_header_length as fn(Vec<u8>) -> Vec<u8>);
    let target = Target { name: "init", samples: samples(), dictionary: dictionary!("safetensors"), mend };
    let device = Cpu::new();
    fuzz(&target, |case| {
        let init = case.write("first.safetensors");
        let init = init.to_str().expect("a plain path");
        let config = resolved(&[(Key::Init, init), (Key::Model, "linear:5,relu"), (Key::BatchSize, "2")]);
        let trainer = Trainer::new(&config, dataset(), &device);
        taken(trainer, &[Model, Data]).is_some()
    });
}
