// kernel clip_norm_factor = loop_bound clip_norm_factor
// factor = min(1, most / (sqrt(sum of sums) + epsilon))
//
// sums: [count], factor: [1]. A single workgroup computes it.

struct Params {
    // Number of partial sums.
    count: u32,
    most: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> factor: array<f32>;

const LANES = 256u;

var<workgroup> parts: array<f32, LANES>;

@compute @workgroup_size(256)
fn main(@builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let count = loop_bound(params.count, groups);
    var sum = 0.0;
    for (var i = lane; i < count; i += LANES) {
        sum += sums[i];
    }
    parts[lane] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u {
        factor[0] = min(1.0, params.most / (sqrt(parts[0]) + params.epsilon));
    }
}
