// A block of SGD steps of one image each, for two linear layers with a ReLU between; the formulas
// and shapes are in src/ops/online_steps.rs.
//
// products, change: [block, hidden]; overlaps: [block, block]; labels: [block]; bias: [hidden];
// weight2: [classes, hidden]; bias2: [classes]; metrics: [slots] of (loss, hits).
// One workgroup does everything. A lane owns every 128th hidden value, and one class.

struct Params {
    block: u32,
    hidden: u32,
    classes: u32,
    weight_decay: f32,
    bias_decay: f32,
}

struct Step {
    first: u32,
    rows: u32,
    slot: u32,
    row_weight: f32,
    learning_rate: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> products: array<f32>;
@group(0) @binding(2) var<storage, read> overlaps: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> weight2: array<f32>;
@group(0) @binding(6) var<storage, read_write> bias2: array<f32>;
@group(0) @binding(7) var<storage, read_write> change: array<f32>;
@group(0) @binding(8) var<storage, read_write> metrics: array<vec2<f32>>;
@group(1) @binding(0) var<uniform> step: Step;

const LANES = 128u;
const MOST_CLASSES = 64u;
const MOST_HIDDEN = 1024u;

var<workgroup> h: array<f32, MOST_HIDDEN>;
var<workgroup> logits: array<f32, MOST_CLASSES>;
var<workgroup> dlogits: array<f32, MOST_CLASSES>;
var<workgroup> sums: vec2<f32>;

// Loss, hit and gradient of one row: the formulas of src/ops/softmax_cross_entropy.rs, with the
// functions of log_sum_exp.wgsl.
fn softmax(label: u32) {
    var best = 0u;
    for (var c = 1u; c < params.classes; c++) {
        if logits[c] > logits[best] {
            best = c;
        }
    }
    let largest = logits[best];
    var rest = 0.0;
    for (var c = 0u; c < params.classes; c++) {
        let term = exponential(difference(logits[c], largest));
        dlogits[c] = term;
        rest += select(term, 0.0, c == best);
    }
    let factor = 1.0 / (1.0 + rest);
    for (var c = 0u; c < params.classes; c++) {
        let gradient = dlogits[c] * factor;
        let of_label = select(gradient - 1.0, -rest * factor, label == best);
        dlogits[c] = select(gradient, of_label, c == label);
    }
    let loss = log_of_one_plus(rest) - difference(logits[label], largest);
    sums += vec2(loss, select(0.0, 1.0, label == best));
}

@compute @workgroup_size(128)
fn main(@builtin(local_invocation_index) lane: u32) {
    let hidden = params.hidden;
    let rate = step.learning_rate;
    if lane == 0u {
        sums = vec2(0.0);
    }
    // 1 - c_t, which unlike c_t itself loses nothing to rounding.
    var decayed = 0.0;
    for (var t = 0u; t < step.rows; t++) {
        for (var j = lane; j < hidden; j += LANES) {
            var z = products[t * hidden + j];
            for (var s = 0u; s < t; s++) {
                z -= overlaps[t * params.block + s] * change[s * hidden + j];
            }
            z = (1.0 - decayed) * z + bias[j];
            h[j] = select(z, 0.0, z < 0.0);
        }
        workgroupBarrier();
        if lane < params.classes {
            var logit = bias2[lane];
            for (var j = 0u; j < hidden; j++) {
                logit += weight2[lane * hidden + j] * h[j];
            }
            logits[lane] = logit;
        }
        workgroupBarrier();
        if lane == 0u {
            softmax(labels[t]);
        }
        workgroupBarrier();
        decayed += rate * params.weight_decay * (1.0 - decayed);
        let scale = rate / (1.0 - decayed);
        for (var j = lane; j < hidden; j += LANES) {
            var dh = 0.0;
            for (var c = 0u; c < params.classes; c++) {
                let w = weight2[c * hidden + j];
                dh += dlogits[c] * w;
                weight2[c * hidden + j] = w - rate * (dlogits[c] * h[j] + params.weight_decay * w);
            }
            let dz = select(0.0, dh, h[j] > 0.0);
            change[t * hidden + j] = scale * dz;
            bias[j] -= rate * (dz + params.bias_decay * bias[j]);
        }
        if lane < params.classes {
            bias2[lane] -= rate * (dlogits[lane] + params.bias_decay * bias2[lane]);
        }
        // The next step's classes read what this step's lanes wrote to weight2.
        storageBarrier();
        workgroupBarrier();
    }
    // One flat loop that starts at the lane: lavapipe takes a bound that it finds in a uniform for a
    // constant if the loop starts at one, and then compiles the shader anew for every dispatch.
    for (var i = lane; i < params.block * hidden; i += LANES) {
        change[i] = select(0.0, change[i] * (1.0 - decayed), i < step.rows * hidden);
    }
    if lane == 0u {
        metrics[step.slot] = step.row_weight * sums;
    }
}
