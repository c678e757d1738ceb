//! A hash of trained weights, by which runs and files are compared.

use super::NamedTensor;
use crate::data::hash::Hasher;

/// Returns the SHA-256 of all values, little-endian and in the layout of files, tensor by tensor in
/// alphabetical order. The order of `tensors` does not matter.
pub fn weights_sha256(tensors: &[NamedTensor]) -> String {
    let mut sorted: Vec<&NamedTensor> = tensors.iter().collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    let mut hasher = Hasher::default();
    for value in sorted.iter().flat_map(|tensor| &tensor.values) {
        hasher.update(&value.to_le_bytes());
    }
    hasher.finish().sha256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_tensors_does_not_matter_and_their_values_do() {
        let tensor = |name: &str, values: &[f32]| NamedTensor {
            name: name.into(),
            shape: vec![values.len()],
            values: values.to_vec(),
        };
        let weights = [tensor("0.weight", &[1.0, -2.5]), tensor("0.bias", &[f32::MIN_POSITIVE])];
        let turned = [weights[1].clone(), weights[0].clone()];
        assert_eq!(weights_sha256(&weights), weights_sha256(&turned));
        // Computed with Python: `struct.pack("<3f", 2 ** -126, 1, -2.5)` and `hashlib.sha256`.
        assert_eq!(
            weights_sha256(&weights),
            "cbb0361cd6ab9effdcca34b34494f5ebd582b14e1a9bf90c9328ddadb1e63343"
        );
        let other = [tensor("0.weight", &[1.0, -2.5]), tensor("0.bias", &[0.0])];
        assert_ne!(weights_sha256(&weights), weights_sha256(&other));
    }
}
