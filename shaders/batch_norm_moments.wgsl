// kernel batch_norm_moments = stored_f32 loop_bound step batch_norm_params batch_norm_rows batch_norm_parts batch_norm_moments
// Per part and channel: the mean of x, and the sum of the squared deviations from it.
//
// x: [rows, channels], partials: [parts, 2, channels]. One workgroup computes 16 channels of one
// part.

@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

var<workgroup> sums: array<f32, CHANNELS * LANES>;

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) lane: vec3<u32>,
) {
    let channel = group.x * CHANNELS + lane.x;
    let count = loop_bound(rows_of_part(group.y), groups);
    let begin = group.y * PART * params.channels + channel;
    let mine = lane.y * CHANNELS + lane.x;
    var sum = 0.0;
    if channel < params.channels {
        for (var row = lane.y; row < count; row += LANES) {
            sum += f32(x[begin + row * params.channels]);
        }
    }
    sums[mine] = sum;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane.y < half {
            sums[mine] += sums[mine + half * CHANNELS];
        }
    }
    workgroupBarrier();
    let mean = sums[lane.x] / f32(max(count, 1u));
    workgroupBarrier();
    var squares = 0.0;
    if channel < params.channels {
        for (var row = lane.y; row < count; row += LANES) {
            let rest = f32(x[begin + row * params.channels]) - mean;
            squares += rest * rest;
        }
    }
    sums[mine] = squares;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane.y < half {
            sums[mine] += sums[mine + half * CHANNELS];
        }
    }
    if lane.y == 0u && channel < params.channels {
        let place = 2u * group.y * params.channels + channel;
        partials[place] = mean;
        partials[place + params.channels] = sums[mine];
    }
}
