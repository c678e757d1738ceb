// kernel batch_norm_recall = batch_norm_params batch_norm_recall
// moments = the running mean and 1 / sqrt(running variance + epsilon)
//
// running_mean, running_var: [channels], moments: [2, channels]. One invocation computes one
// channel.

@group(0) @binding(1) var<storage, read> running_mean: array<f32>;
@group(0) @binding(2) var<storage, read> running_var: array<f32>;
@group(0) @binding(3) var<storage, read_write> moments: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let channel = (group.y * groups.x + group.x) * 64u + lane;
    if channel < params.channels {
        moments[channel] = running_mean[channel];
        moments[channel + params.channels] = 1.0 / sqrt(running_var[channel] + params.epsilon);
    }
}
