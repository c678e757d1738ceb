//! Where something that is no number came from.
//!
//! A NaN in a gradient makes NaNs of everything behind it, so within a step it is everywhere at once. The step is done
//! again op by op, and what each wrote is read back: the first that wrote something else than numbers is the one in which
//! it began.

use std::ops::ControlFlow;

use super::Trainer;
use crate::device::Session;
use crate::error::Result;
use crate::plan::{Array, Launch, Op, Operands, Plan, Role, StepId};
use crate::tensor::Tensor;
use crate::train::position::Snapshot;
use crate::train::submission::{Sampling, Submitter};

impl Trainer<'_> {
    /// The op in which what the [`DivergenceDetector`](crate::train::divergence::DivergenceDetector) found began, and its layer; nothing where every op
    /// wrote numbers, as weights of 1e20 are. Leaves the run in the middle of a step: it is over.
    pub(super) fn origin(&mut self, saved: &Snapshot) -> Result<Option<String>> {
        let start = saved.position.totals.runs;
        let culprit = match self.divergence.culprit() {
            Some(culprit) => culprit,
            // Found where a checkpoint was to be saved: it began in the step before that.
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
                // Of a ring, the step has written one slot; others may tell of steps after it.
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

/// An op by its name and its layer: the one whose parameters it has, else the one that what it wrote goes to.
fn describe(plan: &Plan, step: StepId, position: usize) -> String {
    let ops = &plan.step(step).ops;
    let op = &*ops[position];
    let name = op.name();
    let own = layers(plan, op);
    match &own[..] {
        [layer] => return format!("{name} of layer {layer}"),
        // As clipping, which sees all gradients.
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

/// The layers whose parameters or statistics an op touches, by the names of PyTorch's modules: `0`, or `3.body.1`.
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
