//! L2 penalty: `sum of w^2` over a weight, which the loss includes with the factor `l2 / 2`.
//!
//! Its gradient, `l2 w`, is not a tensor: the optimizer adds it to the weight decay (see
//! [`sgd`](super::sgd)). The value is written as partial sums, at most [`PARTIALS`] per weight,
//! into this run's slot of a ring buffer; the host adds them in float64.

use super::frame::op;
use crate::kernel::iterations;
use crate::kernel::shaders::{self, L2PenaltyParams};
use crate::plan::{Operands, Plan, Role};
use crate::tensor::{Element, Tensor};

/// Most partial sums of one weight.
pub const PARTIALS: usize = 64;

/// Records the sum of squares of `w` and returns the ring buffer of its partial sums,
/// `[slots, partials]`.
pub fn value(plan: &mut Plan, w: Tensor, slots: usize) -> Tensor {
    w.expect("w", Element::F32, w.shape());
    let name = format!("{}.squares", plan.name(w));
    let partials = partials(w.len());
    let ring = plan.declare(name, Role::Metric, Element::F32, [slots, partials]);
    let chunk = chunk(w.len());
    let params = L2PenaltyParams { length: w.len() as u32, chunk: chunk as u32, partials: partials as u32 };
    let iterations = iterations(chunk / WORKGROUP as usize, 0) + iterations(WORKGROUP as usize, 0);
    let grid = [partials as u32, 1, 1];
    let kernel = shaders::L2_PENALTY.dispatch(params, &[w, ring], grid, iterations);
    plan.record(op("l2_penalty", Operands::new(&[w], &[ring]), vec![kernel], move |memory, step| {
        let (w, mut ring) = (memory.f32(w), memory.f32_mut(ring));
        let slot = &mut ring[step.slot as usize * partials..][..partials];
        for (sum, chunk) in slot.iter_mut().zip(w.chunks(chunk)) {
            *sum = sum_of_squares(chunk);
        }
    }));
    ring
}

/// Elements of one partial sum: a multiple of the workgroup size, the same on every device.
pub(super) fn chunk(length: usize) -> usize {
    length.div_ceil(PARTIALS).next_multiple_of(WORKGROUP as usize)
}

/// Number of partial sums for this many elements.
pub(super) fn partials(length: usize) -> usize {
    length.div_ceil(chunk(length))
}

/// The sum of squares of `values`, in a fixed order.
pub(super) fn sum_of_squares(values: &[f32]) -> f32 {
    // Sixteen sums fit vector registers.
    let mut sums = [0.0f32; 16];
    for values in values.chunks(16) {
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum += value * value;
        }
    }
    sums.iter().sum()
}

/// A small workgroup: on a software driver, each eight invocations are a thread of their own, and
/// every barrier stops the threads.
const WORKGROUP: u32 = shaders::L2_PENALTY.invocations();
