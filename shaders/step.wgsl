// The data of one run of a step: the Rust struct StepRecord.
struct Step {
    // First image of this batch, as an index into the epoch's order.
    first: u32,
    // Number of rows of the batch that hold an image.
    rows: u32,
    // Slot of the metric rings that this run writes.
    slot: u32,
    // Weight of one row in the metrics.
    row_weight: f32,
    // The current epoch, and the number of steps before this one.
    epoch: u32,
    step: u32,
    learning_rate: f32,
    // Bias corrections of Adam's moments, which start at zero.
    mean_scale: f32,
    root_scale: f32,
    // Weight of the parameters in the update of their moving averages.
    average_share: f32,
}

@group(1) @binding(0) var<uniform> step: Step;
