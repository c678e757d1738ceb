//! Checks cooperative matrices on a device before any product uses them.
//!
//! They are experimental in wgpu: its shaders do not define the visibility of writes to workgroup
//! memory around such matrices (<https://github.com/gfx-rs/wgpu/issues/8805>), and drivers differ.
//! Therefore small products run in each tile class and in one that every GPU supports. Operands are
//! small integers, so that sums of their products are exact in any order and both results must be
//! identical.

use super::context::Context;
use super::session::GpuSession;
use crate::device::interface::Session;
use crate::device::poison;
use crate::error::Result;
use crate::kernel::{GpuFacts, TileClass};
use crate::ops::fixture::{Draft, hash};
use crate::ops::matmul::{self, Epilogue, Form};
use crate::plan::{AlteredOp, Array, Launch, Op, Plan, Role, StepRecord};
use crate::tensor::Element;

/// Rows, columns and terms of the product: larger than a tile of most classes, not a multiple of a
/// vector, and several iterations with a remainder.
const SIZE: [usize; 3] = [133, 131, 107];

/// Returns the labels of the cooperative tile classes that are wrong on a GPU or that its driver
/// rejects. `alter` may replace the products of those classes.
pub(super) fn wrong(
    gpu: &Context,
    facts: &GpuFacts,
    alter: &dyn Fn(Box<dyn Op>) -> Box<dyn Op>,
) -> Vec<String> {
    let all = TileClass::all(facts);
    let (cooperative, others): (Vec<TileClass>, Vec<TileClass>) =
        all.into_iter().partition(TileClass::is_cooperative);
    let plain = others.first().expect("a class through workgroup memory, which every GPU has");
    let Ok(wanted) = products(gpu, facts, *plain, &|op| op) else {
        return cooperative.into_iter().map(TileClass::label).collect();
    };
    let is_right = |class: &TileClass| products(gpu, facts, *class, alter).is_ok_and(|got| got == wanted);
    cooperative.into_iter().filter(|class| !is_right(class)).map(TileClass::label).collect()
}

/// Computes the product in each form with the kernels of one class.
fn products(
    gpu: &Context,
    facts: &GpuFacts,
    class: TileClass,
    alter: &dyn Fn(Box<dyn Op>) -> Box<dyn Op>,
) -> Result<Vec<Vec<f32>>> {
    let mut plan = Plan::new();
    let mut draft = Draft::new(&mut plan, "proof", Element::F16);
    let [m, n, k] = SIZE;
    let number = |index| (hash(index) % 33) as f32 - 16.0;
    let operand = |draft: &mut Draft<'_>, name, shape: [usize; 2]| {
        let first = 7919 * draft.inputs.len();
        let values = (first..first + shape.iter().product::<usize>()).map(number).collect();
        draft.give_as(Element::F16, name, Role::Input, shape, Array::F32(values))
    };
    let mut outputs = Vec::new();
    for (form, a, b) in [(Form::Nn, [m, k], [k, n]), (Form::Nt, [m, k], [n, k]), (Form::Tn, [k, m], [k, n])] {
        let (a, b) = (operand(&mut draft, "a", a), operand(&mut draft, "b", b));
        outputs.push(matmul::product(draft.plan, form, a, b, Epilogue::None));
    }
    let Draft { step, inputs, .. } = draft;
    let facts = GpuFacts { matmul: Some(class), ..*facts };
    plan.wrap_ops(|op| alter(AlteredOp::with_facts(op, facts)));
    // `load` cannot be used, because it needs the result of this check.
    let mut session = GpuSession::new(gpu, &facts, plan)?;
    poison::fill(&mut session, inputs)?;
    session.run(&[Launch { step, record: StepRecord { rows: 1, ..StepRecord::default() } }])?;
    outputs.into_iter().map(|tensor| session.read(tensor).map(Array::into_f32)).collect()
}
