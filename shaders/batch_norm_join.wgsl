// kernel batch_norm_join = loop_bound step batch_norm_params batch_norm_rows batch_norm_join
// Joins the means and sums of squares of all parts (Chan, Golub and LeVeque 1983, equations 2.1)
// and updates the running statistics. The running variance takes the unbiased variance. A single
// value has no variance: its moments are the running ones, which stay unchanged.
//
// partials: [parts, 2, channels], moments: [2, channels] of mean and 1 / sqrt(variance + epsilon),
// running_mean, running_var: [channels]. One invocation computes one channel.

@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> moments: array<f32>;
@group(0) @binding(3) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> running_var: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let channel = (group.y * groups.x + group.x) * 64u + lane;
    if channel < params.channels {
        let parts = loop_bound(params.parts, groups);
        var count = 0.0;
        var mean = 0.0;
        var squares = 0.0;
        for (var part = 0u; part < parts; part++) {
            let place = 2u * part * params.channels + channel;
            let more = f32(rows_of_part(part));
            let all = max(count + more, 1.0);
            let apart = partials[place] - mean;
            let share = more / all;
            if more > 0.0 {
                mean += apart * share;
                squares += partials[place + params.channels] + apart * apart * count * share;
            }
            count += more;
        }
        if count == 1.0 {
            moments[channel] = running_mean[channel];
            moments[channel + params.channels] = 1.0 / sqrt(running_var[channel] + params.epsilon);
        } else {
            moments[channel] = mean;
            moments[channel + params.channels] = 1.0 / sqrt(squares / max(count, 1.0) + params.epsilon);
            let unbiased = squares / max(count - 1.0, 1.0);
            running_mean[channel] += params.momentum * (mean - running_mean[channel]);
            running_var[channel] += params.momentum * (unbiased - running_var[channel]);
        }
    }
}
