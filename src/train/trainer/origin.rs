//! Where something that is no number came from.
//!
//! A NaN in a gradient makes NaNs of everything behind it, so within a step it is everywhere at once. The step is done
//! again, and what its ops wrote is read back in their order: the first that wrote something else than numbers is the
//! one in which it began.

use std::ops::{ControlFlow, Range};

use super::Trainer;
use crate::device::Session;
use crate::error::Result;
use crate::host::Array;
use crate::ops::{Op, Operands};
use crate::optim;
use crate::plan::{Plan, Role};
use crate::tensor::Tensor;
use crate::train::feed::{Feed, Sampling};
use crate::train::position::Snapshot;

impl Trainer<'_> {
    /// The op in which what the [`Watch`](crate::train::health::Watch) found began, and its layer; nothing where every op
    /// wrote numbers, as weights of 1e20 are.
    pub(super) fn origin(&mut self, saved: &Snapshot) -> Result<Option<String>> {
        let runs = Range {
            start: saved.position.totals.runs,
            end: self.watch.culprit().map_or(self.position.totals.runs, |culprit| culprit + 1),
        };
        if runs.is_empty() {
            return Ok(None);
        }
        self.restore(saved)?;
        let stretch = self.stretch();
        let sampling = Sampling { penalty: None, interval: 1, health: None };
        let feed = Feed { pass: &self.training, sampling, mean: true };
        let (rate, optimizer, first_step) = (self.rate, self.config.optimizer, stretch.first_step);
        feed.run(
            &mut *self.session,
            &mut self.pace,
            stretch.images,
            runs,
            |step| optim::step_record(optimizer, rate.at(first_step + step), first_step + step),
            |_| Ok(ControlFlow::Continue(())),
        )?;
        let plan = self.session.plan();
        let ops: Vec<Vec<Tensor>> =
            plan.step(self.training.step).ops.iter().map(|op| written(&**op)).collect();
        for (position, tensors) in ops.iter().enumerate() {
            // What is there now is what the last of several wrote.
            let is_overwritten = |tensor: &&Tensor| {
                ops[position + 1..].iter().flatten().any(|later| later.id() == tensor.id())
            };
            for &tensor in tensors.iter().filter(|tensor| !is_overwritten(tensor)) {
                let is_ring = self.session.plan().declaration(tensor).role == Role::Metric;
                // Of a ring, this step has written one slot; others may tell of steps after it.
                if !is_ring && holds_no_number(&mut *self.session, tensor)? {
                    return Ok(Some(describe(self.session.plan(), self.training.step.index(), position)));
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
fn describe(plan: &Plan, step: usize, position: usize) -> String {
    let ops = &plan.steps()[step].ops;
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
    let reads = |later: &&Box<dyn Op>| {
        later.operands().reads.iter().any(|read| tensors.iter().any(|tensor| tensor.id() == read.id()))
    };
    let next = ops[position + 1..].iter().filter(reads).find_map(|later| layers(plan, &**later).pop());
    let previous = || ops[..position].iter().rev().find_map(|earlier| layers(plan, &**earlier).pop());
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
