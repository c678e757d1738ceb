// dw = the sum of the parts, in order.
//
// partials: [parts, elements of dw]. One invocation computes one element.

@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + lane;
    let length = params.filters * params.window_height * params.window_width * params.channels;
    if i < length {
        let parts = loop_bound(params.parts, groups);
        var sum = 0.0;
        for (var part = 0u; part < parts; part++) {
            sum += partials[part * length + i];
        }
        dw[i] = sum;
    }
}
