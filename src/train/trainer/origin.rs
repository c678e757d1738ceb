//! Finds the op that first produced NaN or infinity.
//!
//! A NaN in a gradient spreads to everything computed from it, so after the step it is everywhere.
//! The step is repeated op by op, and the outputs of each op are read back. The first op that wrote
//! NaN or infinity is the origin.

use std::ops::ControlFlow;

use super::Trainer;
use crate::device::Session;
use crate::error::Result;
use crate::plan::{Array, Launch, Op, Operands, Plan, Role, StepId};
use crate::tensor::Tensor;
use crate::train::position::Snapshot;
use crate::train::submission::{Sampling, Submitter};

impl Trainer<'_> {
    /// The op, and its layer, in which the divergence that the
    /// [`DivergenceDetector`](crate::train::divergence::DivergenceDetector) found began. `None` if
    /// every op wrote finite numbers, for example weights of 1e20. Leaves the run in the middle of
    /// a step, so it cannot continue.
    pub(super) fn origin(&mut self, saved: &Snapshot) -> Result<Option<String>> {
        let start = saved.position.totals.runs;
        let culprit = match self.divergence.culprit() {
            Some(culprit) => culprit,
            // The bad value was found while saving a checkpoint, so it appeared in the step before.
            None => self.position.totals.runs.saturating_sub(1),
        };
        if culprit < start {
            return Ok(None);
        }
        self.restore(saved)?;
        let range = self.range();
        let sampling = Sampling { penalty: None, interval: 1, norm_probe: None };
        let submitter = Submitter { pass: &self.training, sampling, mean: true };
        let record_for = self.record_for();
        let session = &mut *self.session;
        submitter.run(session, &mut self.sizer, range.images, start..culprit, &record_for, |_| {
            Ok(ControlFlow::Continue(()))
        })?;
        let step = self.training.step;
        let launch = Launch { step, record: submitter.record(culprit, range.images, &record_for) };
        let ops: Vec<Vec<Tensor>> = session.plan().step(step).ops.iter().map(|op| written(&**op)).collect();
        for (position, tensors) in ops.iter().enumerate() {
            session.run_op(launch, position)?;
            for &tensor in tensors {
                // The step wrote one slot of a ring; other slots may belong to later steps.
                let is_ring = session.plan().declaration(tensor).role == Role::Metric;
                if !is_ring && holds_no_number(session, tensor)? {
                    return Ok(Some(describe(session.plan(), step, position)));
                }
            }
        }
        Ok(None)
    }
}

fn written(op: &dyn Op) -> Vec<Tensor> {
    let Operands { writes, updates, .. } = op.operands();
    [writes, updates].concat()
}

fn holds_no_number(session: &mut dyn Session, tensor: Tensor) -> Result<bool> {
    Ok(match session.read(tensor)? {
        Array::F32(values) => values.iter().any(|value| !value.is_finite()),
        Array::U32(_) | Array::U8(_) => false,
    })
}

/// Names an op and its layer: the layer whose parameters it uses, else one that its outputs go to.
fn describe(plan: &Plan, step: StepId, position: usize) -> String {
    let ops = &plan.step(step).ops;
    let op = &*ops[position];
    let name = op.name();
    let own = layers(plan, op);
    match &own[..] {
        [layer] => return format!("{name} of layer {layer}"),
        // For example clipping, which reads all gradients.
        [_, _, ..] => return name.into(),
        [] => {}
    }
    let tensors = written(op);
    let takes = |later: &dyn Op| {
        later.operands().reads.iter().any(|read| tensors.iter().any(|tensor| tensor.id() == read.id()))
    };
    let layer = |op: &dyn Op| layers(plan, op).pop();
    let mut later = ops[position + 1..].iter().filter(|later| takes(&***later));
    let next = later.find_map(|later| layer(&**later));
    let previous = || ops[..position].iter().rev().find_map(|earlier| layer(&**earlier));
    match next.or_else(previous) {
        Some(layer) => format!("{name}, next to layer {layer}"),
        None => name.into(),
    }
}

/// The layers whose parameters or statistics an op uses, named like PyTorch's modules: `0` or
/// `3.body.1`.
fn layers(plan: &Plan, op: &dyn Op) -> Vec<String> {
    let Operands { reads, writes, updates } = op.operands();
    let mut layers = Vec::new();
    for tensor in [reads, writes, updates].concat() {
        let declaration = plan.declaration(tensor);
        if matches!(declaration.role, Role::Parameter | Role::Statistic)
            && let Some((layer, _)) = declaration.name.rsplit_once('.')
            && !layers.iter().any(|known| known == layer)
        {
            layers.push(layer.to_owned());
        }
    }
    layers
}
