//! Compares the weights of two models, tensor by tensor.

use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::Path;

/// Tolerance of a tensor: the norm of the difference relative to the norm of the expected tensor.
pub const NORM_TOLERANCE: f64 = 1e-5;

/// Tolerance of a single weight, relative to its tensor's root mean square. A norm over thousands
/// of weights hardly shows a single wrong one. f32 rounding alone causes up to 4e-6 here.
pub const WEIGHT_TOLERANCE: f64 = 5e-5;

/// One tensor of a file, converted to f64.
#[derive(Clone)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// All tensors of a file, by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// Reads a safetensors file of f32 or f64 tensors.
pub fn read_tensors(path: &Path) -> Tensors {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = SafeTensors::deserialize(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.iter()
        .map(|(name, view)| {
            let values = match view.dtype() {
                Dtype::F32 => numbers(view.data(), |bytes| f32::from_le_bytes(bytes).into()),
                Dtype::F64 => numbers(view.data(), f64::from_le_bytes),
                other => panic!("{}: {name} is {other:?}", path.display()),
            };
            let shape = view.shape().to_vec();
            (name.to_owned(), Tensor { shape, values })
        })
        .collect()
}

fn numbers<const SIZE: usize>(bytes: &[u8], convert: fn([u8; SIZE]) -> f64) -> Vec<f64> {
    let (chunks, rest) = bytes.as_chunks();
    assert!(rest.is_empty(), "a tensor ends within a number");
    chunks.iter().copied().map(convert).collect()
}

/// The largest relative error of a tensor's norm, and a line for each tensor that is wrong.
///
/// Every comparison asks whether the error is small enough, so a NaN never passes.
pub fn complaints(expected: &Tensors, actual: &Tensors) -> (f64, Vec<String>) {
    let mut largest = 0.0_f64;
    let mut wrong = Vec::new();
    if !expected.keys().eq(actual.keys()) {
        let (got, wanted) = (actual.keys(), expected.keys());
        wrong.push(format!("tensors {got:?} instead of {wanted:?}"));
    }
    for (name, wanted) in expected {
        // A missing tensor has already been reported.
        let Some(got) = actual.get(name) else {
            continue;
        };
        if got.shape != wanted.shape {
            let (got, wanted) = (&got.shape, &wanted.shape);
            wrong.push(format!("{name}: shape {got:?} instead of {wanted:?}"));
            continue;
        }
        let norm = norm(wanted.values.iter().copied());
        let root_mean_square = norm / (wanted.values.len() as f64).sqrt();
        let differences = || got.values.iter().zip(&wanted.values).map(|(a, b)| a - b);
        let error = self::norm(differences()) / norm;
        // `total_cmp` treats a NaN as the largest number; `f64::max` would ignore it.
        let weight_error = differences().map(f64::abs).max_by(f64::total_cmp).expect("no tensor is empty")
            / root_mean_square;
        largest = largest.max(error);
        let agrees = error <= NORM_TOLERANCE && weight_error <= WEIGHT_TOLERANCE;
        if !agrees {
            wrong.push(format!("{name}: relative error {error:.1e}, of a single weight {weight_error:.1e}"));
        }
    }
    (largest, wrong)
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}
