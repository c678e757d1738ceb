// kernel l2_penalty = step l2_penalty
// ring[slot, p] = sum of w^2 over the p-th chunk of w
//
// w: [length], ring: [slots, partials]. One workgroup sums one chunk.

struct Params {
    // Number of weights.
    length: u32,
    // Weights that one workgroup covers.
    chunk: u32,
    // Partial sums in one slot of the ring.
    partials: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> ring: array<f32>;

const LANES = 64u;

var<workgroup> sums: array<f32, LANES>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let begin = group.x * params.chunk;
    let end = min(begin + params.chunk, params.length);
    var sum = 0.0;
    for (var i = begin + lane; i < end; i += LANES) {
        let value = w[i];
        sum += value * value;
    }
    sums[lane] = sum;
    // One lane adds all sums: on a software driver a barrier is slower than the sum.
    workgroupBarrier();
    if lane == 0u {
        var total = sums[0];
        for (var other = 1u; other < LANES; other++) {
            total += sums[other];
        }
        ring[step.slot * params.partials + group.x] = total;
    }
}
