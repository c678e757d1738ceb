// y = max(x, 0). NaN passes through: `select` on `x < 0`, not `max`, which may drop it.
//
// x, y: [length]. One invocation computes one element.

struct Params {
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + lane;
    if i < params.length {
        let value = f32(x[i]);
        y[i] = Stored(select(value, 0.0, value < 0.0));
    }
}
