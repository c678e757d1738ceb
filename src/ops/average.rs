//! Exponential moving average (EMA) of a parameter. In each step
//!
//! ```text
//! average = average + share (w - average)
//! ```
//!
//! where `share` is the step's `average_share`: 1 in the first step, so that the initial value of
//! the average does not matter, then 1 - decay. This is PyTorch's `swa_utils.AveragedModel` with
//! `get_ema_multi_avg_fn(decay)`.
//!
//! A model is evaluated and saved with its averages: [`exchange`] swaps them with the parameters,
//! and swaps them back.

use super::elementwise::Elementwise;
use crate::kernel::shaders::{self, LengthParams};
use crate::plan::{Plan, StepRecord};
use crate::tensor::{Element, Tensor};

/// Sets `record`'s `average_share` for averages with this `decay` in the `step`-th step, counted
/// from 0.
pub fn share(record: StepRecord, decay: f32, step: usize) -> StepRecord {
    let average_share = if step == 0 { 1.0 } else { (1.0 - f64::from(decay)) as f32 };
    StepRecord { average_share, ..record }
}

/// Records the update of `average` with `w`, of the same shape.
#[track_caller]
pub fn follow(plan: &mut Plan, w: Tensor, average: Tensor) {
    let params = check(w, average);
    Elementwise { name: "average", kernel: &shaders::AVERAGE, params, reads: [w], outputs: [average] }
        .record_update(plan, |elements, [w], [average]| {
            for (average, &w) in average.iter_mut().zip(w) {
                *average += elements.step.average_share * (w - *average);
            }
        });
}

/// Records that `w` and `average`, of the same shape, are swapped.
#[track_caller]
pub fn exchange(plan: &mut Plan, w: Tensor, average: Tensor) {
    let params = check(w, average);
    let kernel = &shaders::AVERAGE_EXCHANGE;
    Elementwise { name: "average_exchange", kernel, params, reads: [], outputs: [w, average] }
        .record_update(plan, |_, [], [w, average]| average.swap_with_slice(w));
}

#[track_caller]
fn check(w: Tensor, average: Tensor) -> LengthParams {
    w.expect("w", Element::F32, w.shape());
    average.expect("average", Element::F32, w.shape());
    LengthParams { length: w.len() as u32 }
}
