// How 16 invocations add up what they found for each of a workgroup's 16 channels, in a fixed order.
const CHANNELS = 16u;
const LANES = 16u;

var<workgroup> sums: array<f32, CHANNELS * LANES>;

fn sum_of_lanes(value: f32, lane: vec3<u32>) -> f32 {
    let mine = lane.y * CHANNELS + lane.x;
    sums[mine] = value;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane.y < half {
            sums[mine] += sums[mine + half * CHANNELS];
        }
    }
    workgroupBarrier();
    let sum = sums[lane.x];
    workgroupBarrier();
    return sum;
}
