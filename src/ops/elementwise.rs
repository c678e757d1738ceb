//! The frame of element-wise ops: element i of every output depends on element i of every input.
//!
//! An op that consists of one file in `shaders/` (`fn element(i: u32)`, joined with
//! `elementwise.wgsl`) and one closure is recorded like this:
//!
//! ```text
//! Elementwise { name: "double", kernel: &shaders::DOUBLE, params, reads: [x], outputs: [y] }
//!     .record(plan, |_, [x], [y]| y.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x));
//! ```

use rayon::prelude::*;

use super::frame::op;
use crate::kernel::{PlainKernel, Uniform};
use crate::plan::{Operands, Plan, StepRecord};
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
    pub(super) reads: [Tensor; R],
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

impl<P: Uniform, const R: usize, const W: usize> Elementwise<P, R, W> {
    /// Records the op. `run` computes some elements of all outputs on the CPU.
    pub(super) fn record<F>(self, plan: &mut Plan, run: F)
    where
        F: Fn(Elements<'_>, [&[f32]; R], [&mut [f32]; W]) + Send + Sync + 'static,
    {
        self.record_in_blocks(plan, 1, 0, run);
    }

    /// Records an op whose outputs are parameters or optimizer state that it also reads.
    pub(super) fn record_update<F>(self, plan: &mut Plan, run: F)
    where
        F: Fn(Elements<'_>, [&[f32]; R], [&mut [f32]; W]) + Send + Sync + 'static,
    {
        let operands = Operands::new(&self.reads, &[]).updating(self.outputs);
        self.record_with(plan, operands, 1, 0, run);
    }

    /// Records an op of which one invocation computes `block` elements, in this many loop
    /// iterations.
    pub(super) fn record_in_blocks<F>(self, plan: &mut Plan, block: usize, iterations: u64, run: F)
    where
        F: Fn(Elements<'_>, [&[f32]; R], [&mut [f32]; W]) + Send + Sync + 'static,
    {
        let operands = Operands::new(&self.reads, &self.outputs);
        self.record_with(plan, operands, block, iterations, run);
    }

    fn record_with<F>(self, plan: &mut Plan, operands: Operands, block: usize, iterations: u64, run: F)
    where
        F: Fn(Elements<'_>, [&[f32]; R], [&mut [f32]; W]) + Send + Sync + 'static,
    {
        let Elementwise { name, kernel, params, reads, outputs } = self;
        let length = outputs[0].len();
        let tensors = [&reads[..], &outputs].concat();
        let kernel = kernel.for_each(length.div_ceil(block), params, &tensors, iterations);
        plan.record(op(name, operands, vec![kernel], move |memory, step| {
            let reads = reads.map(|tensor| memory.f32(tensor));
            let mut outputs = outputs.map(|tensor| memory.f32_mut(tensor));
            let mut reads = reads.each_ref().map(|values| values.chunks(ELEMENTS_PER_TASK));
            let mut outputs = outputs.each_mut().map(|values| values.chunks_mut(ELEMENTS_PER_TASK));
            let firsts = (0..length).step_by(ELEMENTS_PER_TASK);
            let mut tasks: Vec<_> = firsts
                .map(|first| {
                    let reads = reads.each_mut().map(|chunks| chunks.next().expect("equally many elements"));
                    let outputs =
                        outputs.each_mut().map(|chunks| chunks.next().expect("equally many elements"));
                    (Elements { step, first }, reads, outputs)
                })
                .collect();
            if tasks.len() == 1
                && let Some((elements, reads, outputs)) = tasks.pop()
            {
                // This is too little work to wake another thread.
                return run(elements, reads, outputs);
            }
            tasks.into_par_iter().for_each(|(elements, reads, outputs)| run(elements, reads, outputs));
        }));
    }
}
