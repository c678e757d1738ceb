//! What tensors hold before an op overwrites them: elements that the op leaves out are found by it.

use crate::plan::{Array, Plan, Role};
use crate::tensor::{Element, Tensor};

/// Bits of every element: a NaN that no computation makes, and that survives 16 bits.
pub const POISON: u32 = 0x7fd5_4000;

/// The tensors of a plan that ops overwrite. Pixels are left out: every byte is one.
pub fn poisonable(plan: &Plan) -> Vec<Tensor> {
    let declarations = plan.declarations().iter();
    let written = declarations.filter(|declaration| matches!(declaration.role, Role::Scratch | Role::Metric));
    let tensors = written.map(|declaration| declaration.tensor);
    tensors.filter(|tensor| tensor.element() != Element::Pixel).collect()
}

/// What to write into such a tensor.
pub fn poison(tensor: Tensor) -> Array {
    match tensor.element() {
        Element::U32 => Array::U32(vec![POISON; tensor.len()]),
        _ => Array::F32(vec![f32::from_bits(POISON); tensor.len()]),
    }
}
