//! Poison: the initial contents of output tensors, which reveal elements that an op does not write.

use super::interface::Session;
use crate::error::Result;
use crate::plan::{Array, Role};
use crate::tensor::{Element, Tensor};

/// Bits of every element: a NaN that no computation produces, and that survives rounding to 16
/// bits.
pub const POISON: u32 = 0x7fd5_4000;

/// Prepares a loaded plan for a comparison of devices: fills the tensors that ops overwrite with
/// poison, and writes the inputs. Pixels are not poisoned, because every byte is a valid pixel.
///
/// # Errors
/// Errors of the session.
pub fn fill(session: &mut dyn Session, inputs: impl IntoIterator<Item = (Tensor, Array)>) -> Result<()> {
    let declarations = session.plan().declarations().iter();
    let written = declarations.filter(|declaration| matches!(declaration.role, Role::Scratch | Role::Metric));
    let tensors = written.map(|declaration| declaration.tensor);
    let poisoned: Vec<Tensor> = tensors.filter(|tensor| tensor.element() != Element::Pixel).collect();
    for tensor in poisoned {
        let poison = match tensor.element() {
            Element::U32 => Array::U32(vec![POISON; tensor.len()]),
            _ => Array::F32(vec![f32::from_bits(POISON); tensor.len()]),
        };
        session.write(tensor, poison)?;
    }
    inputs.into_iter().try_for_each(|(tensor, array)| session.write(tensor, array))
}
