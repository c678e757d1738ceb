// kernel muon_direct = muon_direct
// g = dw + decay w;  v = momentum v + g;  x = v, or g + momentum v for Nesterov
// sums[p] = sum of x^2 over the p-th chunk, sums[chunks + p] = sum of w^2 over it
//
// dw, w, v, x: [length], sums: [2, chunks]. One workgroup computes one chunk.

struct Params {
    // Number of elements.
    length: u32,
    // Elements that one workgroup covers.
    chunk: u32,
    decay: f32,
    momentum: f32,
    // 1 for Nesterov's method.
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> v: array<f32>;
@group(0) @binding(4) var<storage, read_write> x: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;

const LANES = 256u;

var<workgroup> parts: array<vec2<f32>, LANES>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let begin = group.x * params.chunk;
    let end = min(begin + params.chunk, params.length);
    var sum = vec2(0.0);
    for (var i = begin + lane; i < end; i += LANES) {
        let weight = w[i];
        let g = dw[i] + params.decay * weight;
        let velocity = params.momentum * v[i] + g;
        v[i] = velocity;
        let direction = select(velocity, g + params.momentum * velocity, params.nesterov == 1u);
        x[i] = direction;
        sum += vec2(direction * direction, weight * weight);
    }
    parts[lane] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u {
        sums[group.x] = parts[0].x;
        sums[groups.x + group.x] = parts[0].y;
    }
}
