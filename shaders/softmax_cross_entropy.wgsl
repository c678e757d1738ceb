// For a row of logits z with label y, m = max z at class best:
//   rest = sum over j != best of exp(z_j - m)
//   loss = (m - z_y) + log(1 + rest),  dz_j = (exp(z_j - m) / (1 + rest) - [j = y]) / rows
//
// logits, dlogits: [batch, classes]; labels: [batch]; metrics: [slots, partials] of (loss, hits).
// One invocation computes one row, one workgroup adds up the losses and hits of its 64 rows.
// difference, exponential and log_of_one_plus are in log_sum_exp.wgsl.
// Rows without an image have the label NO_LABEL: their gradient is zero and they count for nothing.

struct Params {
    batch: u32,
    classes: u32,
    smoothing: f32,
    partials: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(4) var<storage, read_write> metrics: array<vec2<f32>>;

const LANES = 64u;
const NO_LABEL = 0xffffffffu;

var<workgroup> sums: array<vec2<f32>, LANES>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let partial = group.y * groups.x + group.x;
    let row = partial * LANES + lane;
    let classes = loop_bound(params.classes, groups);
    let begin = row * classes;
    var loss_and_hit = vec2(0.0);
    var label = NO_LABEL;
    if row < params.batch {
        label = labels[row];
        if label == NO_LABEL {
            for (var j = 0u; j < classes; j++) {
                dlogits[begin + j] = 0.0;
            }
        }
    }
    if label != NO_LABEL {
        var best = 0u;
        var largest = logits[begin];
        for (var j = 1u; j < classes; j++) {
            let logit = logits[begin + j];
            if logit > largest {
                largest = logit;
                best = j;
            }
        }
        var rest = 0.0;
        for (var j = 0u; j < classes; j++) {
            let term = exponential(difference(logits[begin + j], largest));
            dlogits[begin + j] = term;
            rest += select(term, 0.0, j == best);
        }
        let scale = 1.0 / f32(step.rows);
        let factor = scale / (1.0 + rest);
        for (var j = 0u; j < classes; j++) {
            let gradient = dlogits[begin + j] * factor;
            let of_label = select(gradient - scale, -rest * factor, label == best);
            dlogits[begin + j] = select(gradient, of_label, j == label);
        }
        var loss = log_of_one_plus(rest) - difference(logits[begin + label], largest);
        // The target is (1 - smoothing) [j = y] + smoothing / classes.
        if params.smoothing != 0.0 {
            let share = params.smoothing / f32(params.classes);
            var below = 0.0;
            for (var j = 0u; j < classes; j++) {
                below -= difference(logits[begin + j], largest) * share;
                dlogits[begin + j] -= scale * (share - select(0.0, params.smoothing, j == label));
            }
            loss += below + params.smoothing * difference(logits[begin + label], largest);
        }
        loss_and_hit = step.row_weight * vec2(loss, select(0.0, 1.0, label == best));
    }
    sums[lane] = loss_and_hit;
    // One lane adds all: on a software driver a barrier costs more than the sum.
    workgroupBarrier();
    if lane == 0u && partial < params.partials {
        var sum = sums[0];
        for (var other = 1u; other < LANES; other++) {
            sum += sums[other];
        }
        metrics[step.slot * params.partials + partial] = sum;
    }
}
