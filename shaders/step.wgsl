// What changes from step to step: the Rust struct StepRecord.
struct Step {
    // Where in the epoch's order this batch starts.
    first: u32,
    // Rows of the batch that hold an image.
    rows: u32,
    // Slot of the metric rings that this run writes.
    slot: u32,
    // What the loss and the hit of one row count in the metrics.
    row_weight: f32,
    // The epoch that this is a step of, and the run's steps before this one.
    epoch: u32,
    step: u32,
    learning_rate: f32,
    // What makes up for an optimizer's running means that started as zeros.
    mean_scale: f32,
    root_scale: f32,
    // What the running averages of parameters take of the parameters.
    average_share: f32,
}

@group(1) @binding(0) var<uniform> step: Step;
