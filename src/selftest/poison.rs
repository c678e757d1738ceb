//! Poison: the initial contents of output tensors, which reveal elements that an op does not write.

use crate::plan::{Array, Plan, Role};
use crate::tensor::{Element, Tensor};

/// Bits of every element: a NaN that no computation produces, and that survives rounding to 16
/// bits.
pub const POISON: u32 = 0x7fd5_4000;

/// Returns the tensors of a plan that ops overwrite. Pixels are excluded, because every byte is a
/// valid pixel.
pub fn poisonable(plan: &Plan) -> Vec<Tensor> {
    let declarations = plan.declarations().iter();
    let written = declarations.filter(|declaration| matches!(declaration.role, Role::Scratch | Role::Metric));
    let tensors = written.map(|declaration| declaration.tensor);
    tensors.filter(|tensor| tensor.element() != Element::Pixel).collect()
}

/// Returns the poison for such a tensor.
pub fn poison(tensor: Tensor) -> Array {
    match tensor.element() {
        Element::U32 => Array::U32(vec![POISON; tensor.len()]),
        _ => Array::F32(vec![f32::from_bits(POISON); tensor.len()]),
    }
}
