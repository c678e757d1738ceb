// w = factor w - lr x, where lr follows from rate and until
//
// w, x: [length], factors: [2]; the second is that of w. One invocation updates one element.

struct Params {
    length: u32,
    rate: f32,
    until: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> factors: array<f32>;
@group(0) @binding(3) var<storage, read_write> w: array<f32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i < params.length {
        w[i] = factors[1] * w[i] - learning_rate(params.rate, params.until) * x[i];
    }
}
