//! The recorder of a case: inputs and expected outputs.

use std::cell::LazyCell;
use std::fmt::Debug;
use std::ops::{Deref, DerefMut, Range};
use std::rc::Rc;

use shadegrad::ops::fixture::Draft;
pub use shadegrad::ops::fixture::SLOTS;
use shadegrad::plan::{Array, Plan, Role, StepId, StepRecord};
use shadegrad::tensor::{Element, Shape, Tensor};

use super::compare::Tolerance;
use super::numbers::Numbers;

/// One use of an op, as data: its shapes, its options, the range of its inputs.
pub trait Case: Debug + Sync {
    /// Records the op, with its inputs and expected outputs.
    fn record(&self, bench: &mut Bench);
}

/// The cases of an op.
pub type Cases = Vec<Box<dyn Case>>;

/// Cases of one kind, among those of an op.
pub fn boxed(cases: impl IntoIterator<Item = impl Case + 'static>) -> Cases {
    cases.into_iter().map(|case| Box::new(case) as Box<dyn Case>).collect()
}

/// Declares a kind of case: a struct with these fields, and what records one, which sees the fields
/// as variables.
macro_rules! case {
    ($name:ident { $($(#[$note:meta])* $field:ident: $type:ty),* $(,)? }, |$bench:ident| $record:block) => {
        #[derive(Clone, Debug)]
        struct $name {
            $($(#[$note])* $field: $type),*
        }

        impl $crate::bench::Case for $name {
            fn record(&self, $bench: &mut $crate::bench::Bench) {
                let $name { $($field),* } = self.clone();
                $record
            }
        }
    };
}
pub(crate) use case;

/// A tensor that the op writes, and the reference for its contents.
pub struct Output {
    pub name: String,
    pub tensor: Tensor,
    /// The elements that the op writes; it must not change the others.
    pub written: Range<usize>,
    /// How the written elements are read: unchanged, or as the sum that the host computes.
    pub read: fn(Vec<f64>) -> Vec<f64>,
    pub tolerance: Tolerance,
    /// Evaluated for one device only; the others are compared with that one.
    pub reference: Box<dyn FnOnce() -> Vec<f64>>,
}

/// A case within a plan.
pub struct Recorded {
    pub name: String,
    pub step: StepId,
    pub inputs: Vec<(Tensor, Array)>,
    pub outputs: Vec<Output>,
    /// The step runs once with each of these.
    pub runs: Vec<StepRecord>,
}

/// A case that is being recorded.
pub struct Bench<'a> {
    draft: Draft<'a>,
    pub numbers: Numbers,
    outputs: Vec<Output>,
    runs: Vec<StepRecord>,
}

impl<'a> Deref for Bench<'a> {
    type Target = Draft<'a>;

    fn deref(&self) -> &Draft<'a> {
        &self.draft
    }
}

impl DerefMut for Bench<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.draft
    }
}

/// The record of an ordinary step. The slot is not the first, so that an op that ignores it is
/// detected.
pub const PLAIN_RUN: StepRecord = StepRecord {
    first: 0,
    rows: 1,
    slot: 1,
    row_weight: 1.0,
    epoch: 0,
    step: 0,
    learning_rate: 0.125,
    mean_scale: 1.0,
    root_scale: 1.0,
    average_share: 1.0,
};

impl<'a> Bench<'a> {
    /// Records `case` as a separate step, with activations of this type.
    pub fn record(plan: &'a mut Plan, case: &dyn Case, element: Element) -> Recorded {
        let name = format!("{case:?}");
        let numbers = Numbers::of(&name, element == Element::F16);
        let draft = Draft::new(plan, "case", element);
        let mut bench = Bench { draft, numbers, outputs: Vec::new(), runs: vec![PLAIN_RUN] };
        case.record(&mut bench);
        let Bench { draft: Draft { step, inputs, .. }, outputs, runs, .. } = bench;
        assert!(!outputs.is_empty(), "{name} expects nothing");
        Recorded { name, step, inputs, outputs, runs }
    }

    /// An operand that is only read.
    pub fn input(&mut self, name: &str, shape: impl Into<Shape>, values: Array) -> Tensor {
        self.give(name, Role::Input, shape, values)
    }

    /// A float operand that is only read.
    pub fn floats(&mut self, name: &str, shape: impl Into<Shape>, values: &[f32]) -> Tensor {
        self.input(name, shape, Array::F32(values.to_vec()))
    }

    /// A parameter or its velocity: read and written.
    pub fn parameter(&mut self, name: &str, shape: impl Into<Shape>, values: &[f32]) -> Tensor {
        self.give(name, Role::Parameter, shape, Array::F32(values.to_vec()))
    }

    /// An activation or its gradient, or a weight as products read it.
    pub fn activation_input(&mut self, name: &str, shape: impl Into<Shape>, values: &[f32]) -> Tensor {
        self.floats_of(self.element, name, shape, values)
    }

    /// An activation with these values, and the values for a reference.
    pub fn given(&mut self, name: &str, shape: impl Into<Shape>, values: &[f32]) -> (Tensor, Vec<f64>) {
        (self.activation_input(name, shape, values), widen(values))
    }

    /// An activation with numbers from `-range` to `range`, and these numbers.
    pub fn noise(&mut self, name: &str, shape: impl Into<Shape>, range: f32) -> (Tensor, Vec<f64>) {
        let shape = shape.into();
        let values = self.numbers.floats(shape.len(), range);
        self.given(name, shape, &values)
    }

    /// A float operand of this type that is only read.
    pub fn floats_of(
        &mut self,
        element: Element,
        name: &str,
        shape: impl Into<Shape>,
        values: &[f32],
    ) -> Tensor {
        self.give_as(element, name, Role::Input, shape, Array::F32(values.to_vec()))
    }

    /// Loss scale of a gradient with the element type of activations, in a batch of this many
    /// images.
    pub fn gradient_scale(&self, rows: usize) -> f64 {
        if self.element == Element::F16 { 128.0 * rows as f64 } else { 1.0 }
    }

    /// Runs the step with these records, in order, instead of with [`PLAIN_RUN`].
    pub fn run_with(&mut self, runs: &[StepRecord]) {
        self.runs = runs.to_vec();
    }

    /// All of `tensor` must equal the result of `reference`.
    pub fn expect(
        &mut self,
        name: &str,
        tensor: Tensor,
        tolerance: Tolerance,
        reference: impl FnOnce() -> Vec<f64> + 'static,
    ) {
        self.expect_output(Output {
            name: name.into(),
            tensor,
            written: 0..tensor.len(),
            read: |values| values,
            tolerance,
            reference: Box::new(reference),
        });
    }

    /// Each of these must equal its part of what one computation returns.
    pub fn expect_each<const N: usize>(
        &mut self,
        outputs: [(&str, Tensor, Tolerance); N],
        reference: impl FnOnce() -> [Vec<f64>; N] + 'static,
    ) {
        let results = Rc::new(LazyCell::new(reference));
        for (index, (name, tensor, tolerance)) in outputs.into_iter().enumerate() {
            let results = results.clone();
            self.expect(name, tensor, tolerance, move || results[index].clone());
        }
    }

    /// The op writes only these elements of a tensor that is expected, and what is expected is of
    /// them.
    pub fn written_only(&mut self, tensor: Tensor, written: Range<usize>) {
        let output = self.outputs.iter_mut().find(|output| output.tensor == tensor);
        output.expect("it is expected").written = written;
    }

    /// Part of a tensor, perhaps summed, must equal a reference.
    pub fn expect_output(&mut self, output: Output) {
        let tolerance = match output.tensor.element() {
            Element::F16 => output.tolerance.in_f16(),
            _ => output.tolerance,
        };
        self.outputs.push(Output { tolerance, ..output });
    }
}

/// The elements of a ring's slot that [`PLAIN_RUN`] writes.
pub fn written_slot(ring: Tensor) -> Range<usize> {
    let width = ring.matrix("ring")[1];
    let slot = PLAIN_RUN.slot as usize;
    slot * width..(slot + 1) * width
}

/// Converts to f64, the type of all references.
pub fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
}
