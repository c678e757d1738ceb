//! The data of one run of a step.

use crate::kernel::shaders::STEP;
use crate::kernel::{Uniform, same_fields, uniform};

uniform! {
    /// The data of one run of a step. Shaders see it as the uniform `step`.
    pub struct StepRecord {
        /// First image of this batch, as an index into the epoch's order.
        first: u32,
        /// Number of rows of the batch that hold an image; the rest is padding and has no effect.
        rows: u32,
        /// Slot of the metric rings that this run writes.
        slot: u32,
        /// Weight of one row in the metrics: 1/rows for a mean, 1 for a sum.
        row_weight: f32,
        /// The current epoch, from 0.
        epoch: u32,
        /// Number of steps before this one.
        step: u32,
        /// Learning rate of this step.
        learning_rate: f32,
        /// Bias correction of Adam's first moment, which starts at zero.
        mean_scale: f32,
        /// Bias correction of the root of Adam's second moment.
        root_scale: f32,
        /// Weight of the parameters in the update of their moving averages.
        average_share: f32,
    }
}

const _: () =
    assert!(same_fields(StepRecord::FIELDS, STEP), "StepRecord must have the fields of shaders/step.wgsl");
