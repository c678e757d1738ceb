//! What differs from one run of a step to the next.

use crate::kernel::shaders::STEP;
use crate::kernel::{Uniform, same_fields, uniform};

uniform! {
    /// What changes from one run of a step to the next. Shaders see it as the uniform `step`.
    pub struct StepRecord {
        /// Where in the epoch's order this batch starts.
        first: u32,
        /// How many rows of the batch hold an image; the rest is padding and counts for nothing.
        rows: u32,
        /// Which slot of the metric rings this run writes.
        slot: u32,
        /// What the loss and the hit of one row count in the metrics: 1/rows for a mean, 1 for a sum.
        row_weight: f32,
        /// The epoch that this is a step of, from 0.
        epoch: u32,
        /// Steps of the run before this one.
        step: u32,
        /// The optimizer's learning rate in this step.
        learning_rate: f32,
        /// What makes up for an optimizer's running mean that started as zeros.
        mean_scale: f32,
        /// The same for the root of its running mean of squares.
        root_scale: f32,
        /// What the running averages of parameters take of the parameters.
        average_share: f32,
    }
}

const _: () =
    assert!(same_fields(StepRecord::FIELDS, STEP), "StepRecord must have the fields of shaders/step.wgsl");
