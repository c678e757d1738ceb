//! Multiply-adds between registers only, to measure a device's peak arithmetic speed.
//!
//! ```text
//! x = factor x + addend,  over and over, in many independent chains;  y[i] = the chains' sum
//! ```
//!
//! No model uses this op. [`bench`](crate::bench) compares products with it: each element of y
//! takes [`MULTIPLY_ADDS`] on every device, however wide its vectors are. The division of the work
//! into chains differs between devices, and so do the sums; only that they are finite is
//! guaranteed.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::frame::op;
use crate::kernel::iterations;
use crate::kernel::shaders::{self, PeakParams};
use crate::plan::{Operands, Plan};
use crate::tensor::Tensor;

/// Multiply-adds per element of the result.
pub const MULTIPLY_ADDS: usize = 1 << 16;

/// Multiply-adds of one iteration of the shader's loop.
const PER_ITERATION: usize = 64;

/// The factor is below one; with this addend every chain stays near one.
const FACTOR: f32 = 0.999;
const ADDEND: f32 = 0.001;

/// Records the work and returns the sums, `[length]`.
pub fn forward(plan: &mut Plan, length: usize) -> Tensor {
    let y = plan.scratch("peak.y", [length]);
    let times = MULTIPLY_ADDS / PER_ITERATION;
    let params =
        PeakParams { length: length as u32, iterations: times as u32, factor: FACTOR, addend: ADDEND };
    let kernel = shaders::PEAK.for_each(length, params, &[y], iterations(times, 0));
    plan.record(op("peak", Operands::new(&[], &[y]), vec![kernel], move |memory, _| {
        let arch = Arch::new();
        // Tasks are long enough that the cost of starting them does not matter.
        memory.f32_mut(y).par_chunks_mut(16).for_each(|y| {
            for y in y {
                *y = arch.dispatch(Chains { factor: FACTOR, addend: ADDEND });
            }
        });
    }));
    y
}

/// The computation of one element, on the CPU.
struct Chains {
    factor: f32,
    addend: f32,
}

impl WithSimd for Chains {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        // As many chains as registers can hold, so that every unit can start one operation per
        // cycle.
        if S::REGISTER_COUNT >= 32 { self.run::<S, 16>(simd) } else { self.run::<S, 8>(simd) }
    }
}

impl Chains {
    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) -> f32 {
        let factor = simd.splat_f32s(std::hint::black_box(self.factor));
        let addend = simd.splat_f32s(std::hint::black_box(self.addend));
        let mut x: [_; N] = std::array::from_fn(|chain| simd.splat_f32s(1.0 + 0.1 * chain as f32));
        for _ in 0..MULTIPLY_ADDS / (N * S::F32_LANES) {
            for x in &mut x {
                *x = simd.mul_add_e_f32s(*x, factor, addend);
            }
        }
        x.into_iter().map(|x| simd.reduce_sum_f32s(x)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::StepRecord;

    #[test]
    fn the_sums_are_finite_and_the_work_divides_into_iterations() {
        assert_eq!(MULTIPLY_ADDS % PER_ITERATION, 0);
        let mut plan = Plan::new();
        plan.begin("peak");
        let y = forward(&mut plan, 40);
        let memory = plan.host_memory();
        plan.steps()[0].ops[0].run_on_cpu(&memory, &StepRecord::default());
        assert!(memory.f32(y).iter().all(|y| y.is_finite() && *y > 0.0));
    }
}
