// kernel batch_norm_gradient_parts = stored_f32 loop_bound step gradient_scale batch_norm_params batch_norm_rows batch_norm_parts batch_norm_gradient_parts
// Per part and channel: the sum of dy, and the sum of dy times the normalised x.
//
// x, dy: [rows, channels], moments: [2, channels] of mean and 1 / deviation, partials: [parts, 2,
// channels]. One workgroup computes 16 channels of one part.

@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> dy: array<Stored>;
@group(0) @binding(3) var<storage, read> moments: array<f32>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;

var<workgroup> sums: array<vec2<f32>, CHANNELS * LANES>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) lane: vec3<u32>,
) {
    let channel = group.x * CHANNELS + lane.x;
    let count = loop_bound(rows_of_part(group.y), groups);
    let begin = group.y * PART * params.channels + channel;
    var sum = 0.0;
    var product = 0.0;
    if channel < params.channels {
        let mean = moments[channel];
        let scale = moments[channel + params.channels];
        for (var row = lane.y; row < count; row += LANES) {
            let i = begin + row * params.channels;
            let gradient = f32(dy[i]);
            sum += gradient;
            product += gradient * ((f32(x[i]) - mean) * scale);
        }
    }
    let mine = lane.y * CHANNELS + lane.x;
    sums[mine] = vec2(sum, product);
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane.y < half {
            sums[mine] += sums[mine + half * CHANNELS];
        }
    }
    if lane.y == 0u && channel < params.channels {
        let place = 2u * group.y * params.channels + channel;
        partials[place] = sums[mine].x / gradient_scale();
        partials[place + params.channels] = sums[mine].y / gradient_scale();
    }
}
