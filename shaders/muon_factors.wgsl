// kernel muon_factors = loop_bound muon_factors
// factors = (1 / (|x| + epsilon), norm / max(|w|, epsilon)), of norms whose squares are in sums
//
// sums: [2, count], factors: [2]. A single invocation computes them: there are few sums.

struct Params {
    // Partial sums of each of the two.
    count: u32,
    // The norm that the weight is to have.
    norm: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> factors: array<f32>;

@compute @workgroup_size(1)
fn main(@builtin(num_workgroups) groups: vec3<u32>) {
    let count = loop_bound(params.count, groups);
    var squares = vec2(0.0);
    for (var i = 0u; i < count; i++) {
        squares += vec2(sums[i], sums[count + i]);
    }
    let norms = sqrt(squares);
    factors[0] = 1.0 / (norms.x + params.epsilon);
    factors[1] = params.norm / max(norms.y, params.epsilon);
}
