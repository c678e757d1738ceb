// kernel batch_norm_backward = stored_f32 step gradient_scale batch_norm_params batch_norm_backward
// dx = weight / deviation (dy - dbias / N - n dweight / N) for the N rows of images;
// n is the normalised x. dx = 0 for the rows of padding. A single value is normalised by the
// running moments, which do not depend on it: dx = weight / deviation dy.
//
// x, dy, dx: [rows, channels], moments: [2, channels] of mean and 1 / deviation, weight, dweight,
// dbias: [channels]. One invocation computes one element.

@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> dy: array<Stored>;
@group(0) @binding(3) var<storage, read> moments: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> dweight: array<f32>;
@group(0) @binding(6) var<storage, read> dbias: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx: array<Stored>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i < params.rows * params.channels {
        let channel = i % params.channels;
        let valid = step.rows * params.cells;
        let scale = moments[channel + params.channels];
        let normal = (f32(x[i]) - moments[channel]) * scale;
        var share = 0.0;
        if valid != 1u {
            share = (dbias[channel] + normal * dweight[channel]) / f32(max(valid, 1u));
        }
        let gradient = weight[channel] * scale * (f32(dy[i]) - gradient_scale() * share);
        dx[i] = Stored(select(0.0, gradient, i / params.channels < valid));
    }
}
