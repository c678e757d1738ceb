//! A plan with one op and made-up operands, to time the op or to compare devices.

use crate::plan::{Array, Plan, Role, StepId};
use crate::tensor::{Element, Shape, Tensor};

/// A plan that is being recorded, and the contents of its inputs.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) plan: Plan,
    pub(crate) step: StepId,
    pub(crate) inputs: Vec<(Tensor, Array)>,
    /// Element type of activations.
    pub(crate) element: Element,
}

impl Draft {
    /// An empty plan with one step called `name`.
    pub(crate) fn new(name: &'static str) -> Self {
        let mut plan = Plan::new();
        let step = plan.begin(name);
        Draft { plan, step, inputs: Vec::new(), element: Element::F32 }
    }

    /// An operand that contains `array`.
    pub(crate) fn give(&mut self, name: &str, role: Role, shape: impl Into<Shape>, array: Array) -> Tensor {
        let tensor = self.plan.declare(name, role, array.element(), shape);
        self.inputs.push((tensor, array));
        tensor
    }

    /// An operand of small numbers of both signs, which differ from those of earlier operands.
    /// Zeros would be too easy for some processors, and equal operands would hide that two were
    /// confused.
    pub(crate) fn noise(&mut self, name: &str, role: Role, shape: impl Into<Shape>) -> Tensor {
        let (shape, start) = (shape.into(), 7919 * self.inputs.len());
        let value = |index| hash(start + index) as f32 / u32::MAX as f32 - 0.5;
        self.give(name, role, shape, Array::F32((0..shape.len()).map(value).collect()))
    }

    /// An operand with the element type of activations: an activation, its gradient, or a weight as
    /// products read it.
    pub(crate) fn activation(&mut self, name: &str, shape: impl Into<Shape>) -> Tensor {
        self.noise_of(self.element, name, shape)
    }

    /// Random operand of this element type. f16 can represent its numbers exactly.
    pub(crate) fn noise_of(&mut self, element: Element, name: &str, shape: impl Into<Shape>) -> Tensor {
        let (shape, start) = (shape.into(), 7919 * self.inputs.len());
        let value = |index| (hash(start + index) >> 22) as f32 / 1024.0 - 0.5;
        let tensor = self.plan.declare(name, Role::Input, element, shape);
        self.inputs.push((tensor, Array::F32((0..shape.len()).map(value).collect())));
        tensor
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

/// Hashes an index to a pseudorandom number.
pub(crate) fn hash(index: usize) -> u32 {
    (index as u32 ^ 0x9e37_79b9).wrapping_mul(0x85eb_ca6b).rotate_left(13).wrapping_mul(0xc2b2_ae35)
}
