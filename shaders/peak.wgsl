// kernel peak = loop_bound peak
// y[i] = a sum of values that only exist in registers; nothing uses it.
//
// y: [length]. One invocation computes iterations * 64 multiply-adds in sixteen independent chains,
// so that only arithmetic limits its speed. The factors are inputs, so that no compiler can compute
// the result beforehand.

struct Params {
    length: u32,
    iterations: u32,
    factor: f32,
    addend: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i >= params.length {
        return;
    }
    let a = vec4<f32>(params.factor);
    let b = vec4<f32>(params.addend);
    let start = f32(lane) * params.addend;
    var x0 = vec4<f32>(0.1, 0.2, 0.3, 0.4) + start;
    var x1 = vec4<f32>(0.5, 0.6, 0.7, 0.8) + start;
    var x2 = vec4<f32>(0.9, 1.0, 1.1, 1.2) + start;
    var x3 = vec4<f32>(1.3, 1.4, 1.5, 1.6) + start;
    let iterations = loop_bound(params.iterations, groups);
    for (var iteration = 0u; iteration < iterations; iteration++) {
        x0 = fma(x0, a, b);
        x1 = fma(x1, a, b);
        x2 = fma(x2, a, b);
        x3 = fma(x3, a, b);
        x0 = fma(x0, a, b);
        x1 = fma(x1, a, b);
        x2 = fma(x2, a, b);
        x3 = fma(x3, a, b);
        x0 = fma(x0, a, b);
        x1 = fma(x1, a, b);
        x2 = fma(x2, a, b);
        x3 = fma(x3, a, b);
        x0 = fma(x0, a, b);
        x1 = fma(x1, a, b);
        x2 = fma(x2, a, b);
        x3 = fma(x3, a, b);
    }
    let sum = (x0 + x1) + (x2 + x3);
    y[i] = (sum.x + sum.y) + (sum.z + sum.w);
}
