// kernel online_steps = step loop_bound log_sum_exp online_steps
// A block of SGD steps of one image each, for two linear layers with a ReLU between them; formulas
// and shapes are in src/ops/online_steps.rs.
//
// products, change: [block, hidden]; overlaps: [block, block]; labels: [block]; bias: [hidden];
// weight2: [classes, hidden]; bias2: [classes]; metrics: [slots] of (losses, correct, kept, added
// and squares of weight2). A single workgroup computes everything. A lane owns every 32nd hidden
// value, with its bias, its column of weight2 and of change; lanes exchange data in workgroup
// memory.

struct Params {
    block: u32,
    hidden: u32,
    classes: u32,
    weight_decay: f32,
    bias_decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> products: array<f32>;
@group(0) @binding(2) var<storage, read> overlaps: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> weight2: array<f32>;
@group(0) @binding(6) var<storage, read_write> bias2: array<f32>;
@group(0) @binding(7) var<storage, read_write> change: array<f32>;
@group(0) @binding(8) var<storage, read_write> metrics: array<vec4<f32>>;

const LANES = 32u;
const MOST_CLASSES = 64u;
const MOST_VISITS = 32u;

// Partial sums of each class's logit, one per lane.
var<workgroup> partials: array<f32, MOST_CLASSES * LANES>;
var<workgroup> logits: array<f32, MOST_CLASSES>;
var<workgroup> terms: array<f32, MOST_CLASSES>;
// Partial sums of dz . (w x), |dz|^2 and the squares of weight2, one per lane.
var<workgroup> products_of_lanes: array<vec3<f32>, LANES>;

@compute @workgroup_size(32)
fn main(@builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = loop_bound(params.block, groups);
    let rows = loop_bound(step.rows, groups);
    let hidden = loop_bound(params.hidden, groups);
    let classes = loop_bound(params.classes, groups);
    let rate = step.learning_rate;
    let c = 1.0 - rate * params.weight_decay;
    var wx: array<f32, MOST_VISITS>;
    var sums = vec4(0.0);
    // 1 - c_t, which unlike c_t itself loses nothing to rounding.
    var decayed = 0.0;
    var kept = 1.0;
    var added = 0.0;
    for (var t = 0u; t < rows; t++) {
        // The hidden layer, and each lane's part of the logits.
        for (var k = 0u; k < classes; k++) {
            partials[k * LANES + lane] = 0.0;
        }
        // Bounds the loop over earlier steps, inside a loop that lanes leave at different times. If
        // t itself did, Microsoft's FXC would reject the barriers in the loop over t (X3663).
        let earlier = loop_bound(t, groups);
        var squares = 0.0;
        for (var j = lane; j < hidden; j += LANES) {
            var z = products[t * hidden + j];
            for (var s = 0u; s < earlier; s++) {
                z -= overlaps[t * block + s] * change[s * hidden + j];
            }
            z *= 1.0 - decayed;
            wx[j / LANES] = z;
            z += bias[j];
            let h = select(z, 0.0, z < 0.0);
            for (var k = 0u; k < classes; k++) {
                let w = weight2[k * hidden + j];
                partials[k * LANES + lane] += w * h;
                squares += w * w;
            }
        }
        workgroupBarrier();
        for (var k = lane; k < classes; k += LANES) {
            var logit = bias2[k];
            for (var from_lane = 0u; from_lane < LANES; from_lane++) {
                logit += partials[k * LANES + from_lane];
            }
            logits[k] = logit;
        }
        workgroupBarrier();
        // Softmax and cross-entropy as in softmax_cross_entropy.rs: every lane finds the largest
        // logit itself, and each class's exponential is computed once.
        let label = labels[t];
        var best = 0u;
        for (var k = 1u; k < classes; k++) {
            if logits[k] > logits[best] {
                best = k;
            }
        }
        let largest = logits[best];
        for (var k = lane; k < classes; k += LANES) {
            terms[k] = exponential(difference(logits[k], largest));
        }
        workgroupBarrier();
        var rest = 0.0;
        for (var k = 0u; k < classes; k++) {
            rest += select(terms[k], 0.0, k == best);
        }
        let factor = 1.0 / (1.0 + rest);
        let of_label = select(terms[label] * factor - 1.0, -rest * factor, label == best);
        // Update everything that the lane owns.
        decayed += rate * params.weight_decay * (1.0 - decayed);
        let scale = rate / (1.0 - decayed);
        var found = vec3(0.0, 0.0, squares);
        for (var j = lane; j < hidden; j += LANES) {
            let z = wx[j / LANES] + bias[j];
            let h = select(z, 0.0, z < 0.0);
            var dh = 0.0;
            for (var k = 0u; k < classes; k++) {
                let dlogit = select(terms[k] * factor, of_label, k == label);
                let w = weight2[k * hidden + j];
                dh += dlogit * w;
                weight2[k * hidden + j] = w - rate * (dlogit * h + params.weight_decay * w);
            }
            let dz = select(0.0, dh, h > 0.0);
            change[t * hidden + j] = scale * dz;
            bias[j] -= rate * (dz + params.bias_decay * bias[j]);
            found += vec3(dz * wx[j / LANES], dz * dz, 0.0);
        }
        for (var k = lane; k < classes; k += LANES) {
            let dlogit = select(terms[k] * factor, of_label, k == label);
            bias2[k] -= rate * (dlogit + params.bias_decay * bias2[k]);
        }
        products_of_lanes[lane] = found;
        workgroupBarrier();
        found = vec3(0.0);
        for (var from_lane = 0u; from_lane < LANES; from_lane++) {
            found += products_of_lanes[from_lane];
        }
        let loss = log_of_one_plus(rest) - difference(logits[label], largest);
        sums += vec4(loss, select(0.0, 1.0, label == best), kept, added + found.z);
        kept *= c * c;
        let length = overlaps[t * block + t];
        added = c * c * added - 2.0 * c * rate * found.x + rate * rate * found.y * length;
    }
    for (var j = lane; j < hidden; j += LANES) {
        for (var t = 0u; t < block; t++) {
            let i = t * hidden + j;
            change[i] = select(0.0, change[i] * (1.0 - decayed), t < rows);
        }
    }
    if lane == 0u {
        metrics[step.slot] = sums;
    }
}
