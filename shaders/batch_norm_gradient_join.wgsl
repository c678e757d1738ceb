// kernel batch_norm_gradient_join = loop_bound batch_norm_params batch_norm_gradient_join
// dbias and dweight: the sums of the partial sums of all parts.
//
// partials: [parts, 2, channels], dbias, dweight: [channels]. One invocation computes one channel.

@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(3) var<storage, read_write> dbias: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let channel = (group.y * groups.x + group.x) * 64u + lane;
    if channel < params.channels {
        let parts = loop_bound(params.parts, groups);
        var sum = 0.0;
        var product = 0.0;
        for (var part = 0u; part < parts; part++) {
            let place = 2u * part * params.channels + channel;
            sum += partials[place];
            product += partials[place + params.channels];
        }
        dbias[channel] = sum;
        dweight[channel] = product;
    }
}
