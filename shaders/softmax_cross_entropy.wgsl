// kernel softmax_cross_entropy = step loop_bound log_sum_exp softmax_row softmax_cross_entropy
// logits, dlogits: [batch, classes]; labels: [batch]; metrics: [slots, partials] of (loss,
// correct). One invocation computes one row (softmax_row.wgsl), and one workgroup adds up the
// losses and correct counts of its rows. Rows without an image have the label NO_LABEL: their
// gradient is zero and they have no effect on the metrics.

struct Params {
    batch: u32,
    classes: u32,
    // Fraction of the target that is spread over all classes.
    smoothing: f32,
    // Partial sums (pairs) in one slot of the ring.
    partials: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(4) var<storage, read_write> metrics: array<vec2<f32>>;

const LANES = 32u;
const NO_LABEL = 0xffffffffu;

var<workgroup> sums: array<vec2<f32>, LANES>;

fn logit(row: u32, j: u32) -> f32 {
    return logits[row * params.classes + j];
}

fn keep(row: u32, j: u32, value: f32) {
    dlogits[row * params.classes + j] = value;
}

fn hand_out(row: u32, j: u32, value: f32) {
    keep(row, j, value);
}

fn kept(row: u32, j: u32) -> f32 {
    return dlogits[row * params.classes + j];
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let partial = group.y * groups.x + group.x;
    let row = partial * LANES + lane;
    let classes = loop_bound(params.classes, groups);
    var loss_and_hit = vec2(0.0);
    var label = NO_LABEL;
    if row < params.batch {
        label = labels[row];
        if label == NO_LABEL {
            for (var j = 0u; j < classes; j++) {
                keep(row, j, 0.0);
            }
        }
    }
    if label != NO_LABEL {
        loss_and_hit = step.row_weight * softmax_row(row, classes, label, params.smoothing, step.rows);
    }
    sums[lane] = loss_and_hit;
    // One lane adds all sums: on a software driver a barrier is slower than the sum.
    workgroupBarrier();
    if lane == 0u && partial < params.partials {
        var sum = sums[0];
        for (var other = 1u; other < LANES; other++) {
            sum += sums[other];
        }
        metrics[step.slot * params.partials + partial] = sum;
    }
}
