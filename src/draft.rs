//! A step of one op with made-up operands: to be timed, or to be compared between devices.

use crate::host::Array;
use crate::plan::{Plan, Role, StepId};
use crate::tensor::{Shape, Tensor};

/// A plan that is being recorded, and what its inputs hold.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) plan: Plan,
    pub(crate) step: StepId,
    pub(crate) inputs: Vec<(Tensor, Array)>,
}

impl Draft {
    /// A plan with one step, called `name`, to be recorded.
    pub(crate) fn new(name: &'static str) -> Self {
        let mut plan = Plan::new();
        let step = plan.begin(name);
        Draft { plan, step, inputs: Vec::new() }
    }

    /// Rounds every number to what 16 bits hold, where it is not tiny: to eleven digits.
    pub(crate) fn round_to_halves(&mut self) {
        for (_, array) in &mut self.inputs {
            if let Array::F32(values) = array {
                values
                    .iter_mut()
                    .for_each(|value| *value = f32::from_bits((value.to_bits() + 0x1000) & !0x1fff));
            }
        }
    }

    /// An operand that holds `array`.
    pub(crate) fn give(&mut self, name: &str, role: Role, shape: impl Into<Shape>, array: Array) -> Tensor {
        let tensor = self.plan.declare(name, role, array.element(), shape);
        self.inputs.push((tensor, array));
        tensor
    }

    /// An operand of small numbers of both signs, others than those of the operands before: zeros would be too easy for
    /// some processors, and equal operands would hide that one was taken for the other.
    pub(crate) fn noise(&mut self, name: &str, role: Role, shape: impl Into<Shape>) -> Tensor {
        let (shape, start) = (shape.into(), 7919 * self.inputs.len());
        let value = |index| hash(start + index) as f32 / u32::MAX as f32 - 0.5;
        self.give(name, role, shape, Array::F32((0..shape.len()).map(value).collect()))
    }
}

/// `count` numbers below `bound`.
pub(crate) fn indices(count: usize, bound: u32) -> Array {
    Array::U32((0..count).map(|index| hash(index) % bound).collect())
}

/// `count` bytes.
pub(crate) fn bytes(count: usize) -> Array {
    Array::U8((0..count).map(|index| hash(index) as u8).collect())
}

/// A number without pattern.
pub(crate) fn hash(index: usize) -> u32 {
    (index as u32 ^ 0x9e37_79b9).wrapping_mul(0x85eb_ca6b).rotate_left(13).wrapping_mul(0xc2b2_ae35)
}
