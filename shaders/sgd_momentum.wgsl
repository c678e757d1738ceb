// g = dw + decay w;  v = momentum v + g;  w = w - lr v, or w - lr (g + momentum v) for Nesterov,
// where lr follows from rate and until.
//
// dw, w, v: [length]. One invocation updates one element.

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
@group(0) @binding(3) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i < params.length {
        let old = w[i];
        let g = dw[i] + params.decay * old;
        let velocity = params.momentum * v[i] + g;
        v[i] = velocity;
        let direction = select(velocity, g + params.momentum * velocity, params.nesterov == 1u);
        w[i] = old - learning_rate(params.rate, params.until) * direction;
    }
}
