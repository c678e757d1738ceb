//! Dropout (Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", section 4; scaled
//! while training, as PyTorch does): zeros in the place of a random share of the elements, anew in every step.
//!
//! ```text
//! word  = block(seed, dropout, layer, step 2^32 + i / 4)[i % 4]
//! y[i]  = x[i] / (1 - rate) where word >= rate 2^32, else 0
//! dx[i] = dy[i] / (1 - rate) where word >= rate 2^32, else 0
//! ```
//!
//! All tensors have one shape. Whether an element is kept follows from [`rng::block`]: nothing is stored for the backward
//! pass, which asks again, and every device keeps the same ones. A NaN passes through where it is kept.

use std::borrow::Cow;

use rayon::prelude::*;

use super::ELEMENTS_PER_TASK;
use crate::kernel::{Dispatch, GpuFacts, Kernel, Uniform, fold, read, shader, trips, uniform, write};
use crate::plan::{HostMemory, Op, Operands, Plan, StepRecord};
use crate::rng::{self, Purpose};
use crate::tensor::Tensor;

/// Words of a block, each for an element.
const BLOCK: usize = 4;

/// Which elements are dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Share of the elements that become zero, 0 to below 1.
    pub rate: f32,
    /// What the random numbers follow from.
    pub seed: u64,
    /// Another number for every use of the op in a step.
    pub layer: u32,
}

impl Dropout {
    /// The least word of an element that is kept.
    fn threshold(self) -> u32 {
        (f64::from(self.rate) * 2f64.powi(32)).round() as u32
    }

    /// What kept elements are multiplied by.
    fn scale(self) -> f32 {
        (1.0 / (1.0 - f64::from(self.rate))) as f32
    }
}

/// Records `y = x` without the elements that are dropped, and returns `y`.
pub fn forward(plan: &mut Plan, dropout: Dropout, x: Tensor) -> Tensor {
    record(plan, dropout, x, "dropout.y")
}

/// Records `dx` and returns it; `dropout` is the forward pass's.
pub fn backward(plan: &mut Plan, dropout: Dropout, dy: Tensor) -> Tensor {
    record(plan, dropout, dy, "dropout.dx")
}

fn record(plan: &mut Plan, dropout: Dropout, x: Tensor, name: &str) -> Tensor {
    let rate = dropout.rate;
    assert!((0.0..1.0).contains(&rate), "a rate of dropout must be 0 to below 1, not {rate}");
    x.expect_floats("x", x.shape());
    let y = plan.scratch_of(x.element(), name, x.shape());
    plan.record(Thinned { dropout, x, y });
    y
}

/// Forward and backward are one computation.
#[derive(Debug)]
struct Thinned {
    dropout: Dropout,
    x: Tensor,
    y: Tensor,
}

uniform! {
    struct Params {
        /// Number of elements.
        length: u32,
        layer: u32,
        seed_low: u32,
        seed_high: u32,
        threshold: u32,
        scale: f32,
    }
}

const WORKGROUP: u32 = 256;

static KERNEL: Kernel = Kernel {
    name: Cow::Borrowed("dropout"),
    source: shader!("stored_f32.wgsl", "philox.wgsl", "step.wgsl", "dropout.wgsl"),
    workgroup: [WORKGROUP, 1, 1],
    params: Params::FIELDS,
    bindings: Cow::Borrowed(&[read("x"), write("y")]),
    reads_step: true,
    subgroups: false,
};

/// The kernels of this op.
pub fn kernels() -> Vec<Kernel> {
    KERNEL.in_each()
}

impl Op for Thinned {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn operands(&self) -> Operands {
        Operands::new(&[self.x], &[self.y])
    }

    fn run_on_cpu(&self, memory: &HostMemory, step: &StepRecord) {
        let Dropout { seed, layer, .. } = self.dropout;
        let (threshold, scale) = (self.dropout.threshold(), self.dropout.scale());
        let x = memory.f32(self.x);
        let mut y = memory.f32_mut(self.y);
        let blocks = y.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).enumerate();
        blocks.with_min_len(ELEMENTS_PER_TASK / BLOCK).for_each(|(block, (y, x))| {
            let position = u64::from(step.step) << 32 | block as u64;
            let words = rng::block(seed, Purpose::Dropout, layer, position);
            for ((y, &x), word) in y.iter_mut().zip(x).zip(words) {
                *y = if word >= threshold { x * scale } else { 0.0 };
            }
        });
    }

    fn lower(&self, _: &GpuFacts) -> Vec<Dispatch> {
        let length = self.x.len();
        let [seed_low, seed_high] = rng::key(self.dropout.seed);
        let params = Params {
            length: length as u32,
            layer: self.dropout.layer,
            seed_low,
            seed_high,
            threshold: self.dropout.threshold(),
            scale: self.dropout.scale(),
        };
        let trips = trips(rng::ROUNDS, 0) + trips(BLOCK, 0);
        let grid = fold(length.div_ceil(BLOCK), WORKGROUP);
        vec![Dispatch::new(&KERNEL, params, &[self.x, self.y], grid, trips)]
    }
}
