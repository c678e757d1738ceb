//! The frame of element-wise ops: element i of every output depends on element i of every input.
//!
//! An op that consists of one file in `shaders/` (`fn element(i: u32)`, joined with
//! `elementwise.wgsl`) and one closure is recorded like this:
//!
//! ```text
//! Elementwise { name: "double", kernel: &shaders::DOUBLE, params, reads: [x], outputs: [y] }
//!     .record(plan, |_, [x], [y]| y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x));
//! ```

use std::fmt::{Debug, Formatter};

use rayon::prelude::*;

use crate::kernel::{Dispatch, GpuFacts, PlainKernel, Uniform};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::tensor::Tensor;

/// Elements that one task of the CPU computes.
const ELEMENTS_PER_TASK: usize = 1 << 14;

/// An element-wise op of `R` inputs and `W` outputs. All have the same number of elements.
pub(super) struct Elementwise<P: 'static, const R: usize, const W: usize> {
    /// The op's name in messages and profiles.
    pub(super) name: &'static str,
    /// Its kernel, whose bindings are first the inputs, then the outputs.
    pub(super) kernel: &'static PlainKernel<P>,
    /// The kernel's uniform.
    pub(super) params: P,
    /// The inputs.
    pub(super) reads: [Tensor; R],
    /// The outputs.
    pub(super) outputs: [Tensor; W],
}

/// Neighbouring elements that the CPU computes together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a> {
    /// The step in which they are computed.
    pub(super) step: &'a StepRecord,
    /// Index of the first element, a multiple of [`ELEMENTS_PER_TASK`].
    pub(super) first: usize,
}

impl<P: Uniform + Send + Sync, const R: usize, const W: usize> Elementwise<P, R, W> {
    /// Records the op. `run` computes some elements of all outputs on the CPU.
    pub(super) fn record<F>(self, plan: &mut Plan, run: F)
    where
        F: Fn(Elements<'_>, [&[f32]; R], [&mut [f32]; W]) + Send + Sync + 'static,
    {
        plan.record(Recorded { op: self, updates: false, block: 1, iterations: 0, run });
    }

    /// Records an op whose outputs are parameters or optimizer state that it also reads.
    pub(super) fn record_update<F>(self, plan: &mut Plan, run: F)
    where
        F: Fn(Elements<'_>, [&[f32]; R], [&mut [f32]; W]) + Send + Sync + 'static,
    {
        plan.record(Recorded { op: self, updates: true, block: 1, iterations: 0, run });
    }

    /// Records an op of which one invocation computes `block` elements, in this many loop
    /// iterations.
    pub(super) fn record_in_blocks<F>(self, plan: &mut Plan, block: usize, iterations: u64, run: F)
    where
        F: Fn(Elements<'_>, [&[f32]; R], [&mut [f32]; W]) + Send + Sync + 'static,
    {
        plan.record(Recorded { op: self, updates: false, block, iterations, run });
    }
}

struct Recorded<P: 'static, F, const R: usize, const W: usize> {
    op: Elementwise<P, R, W>,
    /// Whether the outputs are updated rather than overwritten.
    updates: bool,
    /// Elements per invocation.
    block: usize,
    /// Upper bound on the loop iterations of an invocation.
    iterations: u64,
    run: F,
}

impl<P, F, const R: usize, const W: usize> Debug for Recorded<P, F, R, W> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Elementwise { name, reads, outputs, .. } = &self.op;
        f.debug_struct(name).field("reads", reads).field("outputs", outputs).finish()
    }
}

impl<P, F, const R: usize, const W: usize> Op for Recorded<P, F, R, W>
where
    P: Uniform + Send + Sync,
    F: Fn(Elements<'_>, [&[f32]; R], [&mut [f32]; W]) + Send + Sync,
{
    fn name(&self) -> &'static str {
        self.op.name
    }

    fn operands(&self) -> Operands {
        let Elementwise { reads, outputs, .. } = &self.op;
        match self.updates {
            true => Operands::new(reads, &[]).updating(*outputs),
            false => Operands::new(reads, outputs),
        }
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let reads = self.op.reads.map(|tensor| memory.f32(tensor));
        let mut outputs = self.op.outputs.map(|tensor| memory.f32_mut(tensor));
        let mut reads = reads.each_ref().map(|values| values.chunks(ELEMENTS_PER_TASK));
        let mut outputs = outputs.each_mut().map(|values| values.chunks_mut(ELEMENTS_PER_TASK));
        let firsts = (0..self.op.outputs[0].len()).step_by(ELEMENTS_PER_TASK);
        let mut tasks: Vec<_> = firsts
            .map(|first| {
                let reads = reads.each_mut().map(|chunks| chunks.next().expect("equally many elements"));
                let outputs = outputs.each_mut().map(|chunks| chunks.next().expect("equally many elements"));
                (Elements { step, first }, reads, outputs)
            })
            .collect();
        if tasks.len() == 1
            && let Some((elements, reads, outputs)) = tasks.pop()
        {
            // This is too little work to wake another thread.
            return (self.run)(elements, reads, outputs);
        }
        tasks.into_par_iter().for_each(|(elements, reads, outputs)| (self.run)(elements, reads, outputs));
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let Elementwise { kernel, params, reads, outputs, .. } = &self.op;
        let items = outputs[0].len().div_ceil(self.block);
        vec![kernel.for_each(items, *params, &[&reads[..], outputs].concat(), self.iterations)]
    }
}
