// kernel average_exchange = length average_exchange elementwise
// Swaps w and average.
//
// w, average: [length]. One invocation swaps one element.

@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> average: array<f32>;

fn element(i: u32) {
    let old = w[i];
    w[i] = average[i];
    average[i] = old;
}
