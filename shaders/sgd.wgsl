// w = w - lr (dw + decay w), where lr follows from rate and until
//
// dw, w: [length]. One invocation updates one element.

struct Params {
    length: u32,
    rate: f32,
    until: f32,
    decay: f32,
    momentum: f32,
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dw: array<f32>;
@group(0) @binding(2) var<storage, read_write> w: array<f32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i < params.length {
        let old = w[i];
        w[i] = old - learning_rate(params.rate, params.until) * (dw[i] + params.decay * old);
    }
}
