// kernel average = step length average elementwise
// average = average + share (w - average)
//
// w, average: [length]. One invocation computes one element.

@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> average: array<f32>;

fn element(i: u32) {
    let old = average[i];
    average[i] = old + step.average_share * (w[i] - old);
}
