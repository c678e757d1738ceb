//! Ops with deliberate faults: in the text of GPU kernels, or in the output of the CPU
//! implementation.

use std::borrow::Cow;

use shadegrad::plan::{AlteredOp, Op, Operands};

/// Replaces `from` by `to` in the kernels of an op that contain it and whose names contain
/// `kernels`.
pub fn edited(op: Box<dyn Op>, kernels: &'static str, from: &'static str, to: &'static str) -> Box<dyn Op> {
    AlteredOp::lowered(op, move |op, gpu| {
        let mut dispatches = op.lower(gpu);
        for dispatch in &mut dispatches {
            if dispatch.kernel.name.contains(kernels) && dispatch.kernel.source.contains(from) {
                let kernel = dispatch.kernel.to_mut();
                // A device makes one pipeline for each name.
                kernel.name = Cow::Owned(format!("{}_wrong", kernel.name));
                kernel.source = Cow::Owned(kernel.source.replace(from, to));
            }
        }
        dispatches
    })
}

/// Changes the first output of an op on the CPU: `tamper` receives the new values and the previous
/// ones.
pub fn tampered(op: Box<dyn Op>, tamper: impl Fn(&mut [f32], &[f32]) + Send + Sync + 'static) -> Box<dyn Op> {
    AlteredOp::computed(op, move |op, memory, step| {
        let Operands { writes, updates, .. } = op.operands();
        let output = *writes.first().or(updates.first()).expect("an op writes something");
        let before = memory.f32(output).to_vec();
        op.run_on_cpu(memory, step);
        tamper(&mut memory.f32_mut(output), &before);
    })
}
