// kernel batch_norm_apply = stored_f32 batch_norm_params batch_norm_apply
// y = (x - mean) / deviation * weight + bias, per channel
//
// x, y: [rows, channels], moments: [2, channels] of mean and 1 / deviation, weight, bias:
// [channels]. One invocation computes one element.

@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> moments: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i < params.rows * params.channels {
        let channel = i % params.channels;
        let normal = (f32(x[i]) - moments[channel]) * moments[channel + params.channels];
        y[i] = Stored(normal * weight[channel] + bias[channel]);
    }
}
