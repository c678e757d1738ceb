// kernel clip_norm_squares = clip_norm_squares
// dw = dw + penalty w;  sums[first + p] = sum of dw^2 over the p-th chunk of dw
//
// w, dw: [length], sums: partial sums of all gradients. One workgroup sums one chunk.

struct Params {
    // Number of elements of the gradient.
    length: u32,
    // Elements that one workgroup covers.
    chunk: u32,
    // Where the gradient's partial sums start.
    first: u32,
    penalty: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

const LANES = 256u;

var<workgroup> parts: array<f32, LANES>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let begin = group.x * params.chunk;
    let end = min(begin + params.chunk, params.length);
    var sum = 0.0;
    for (var i = begin + lane; i < end; i += LANES) {
        let g = dw[i] + params.penalty * w[i];
        dw[i] = g;
        sum += g * g;
    }
    parts[lane] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            parts[lane] += parts[lane + half];
        }
    }
    if lane == 0u {
        sums[params.first + group.x] = parts[0];
    }
}
