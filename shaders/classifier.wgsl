// kernel classifier = stored_f32 step loop_bound log_sum_exp softmax_row classifier classifier_no_dx
// A last layer with its loss, for a few classes:
//   logits = x w^T + bias,  dlogits and (loss, correct) as in softmax_row.wgsl,  dx = dlogits w
//
// x: [batch, inputs]; w: [classes, inputs]; their rows are whole vectors. labels: [batch]; logits,
// dlogits: [batch, classes]; metrics: [slots, partials] of (loss, correct).
//
// One workgroup computes all of this for ROWS rows. First the logits: PARTS invocations share four
// rows, and each takes every PARTS-th vector of the inputs, for BLOCK classes at a time. Then each
// invocation computes the loss of one row. Last comes dx. Rows without an image have the label
// NO_LABEL: their gradient is zero and they have no effect on the metrics.

struct Params {
    batch: u32,
    classes: u32,
    // Number of vectors of four in a row.
    quads: u32,
    // Fraction of the target that is spread over all classes.
    smoothing: f32,
    // Partial sums (pairs) in one slot of the ring.
    partials: u32,
    // Whether dx is zero where x is not positive: x is then the output of a ReLU.
    masked: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<Stored>>;
@group(0) @binding(2) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> labels: array<u32>;
@group(0) @binding(5) var<storage, read_write> logits: array<f32>;
@group(0) @binding(6) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(7) var<storage, read_write> metrics: array<vec2<f32>>;

const ROWS = 32u;
// Groups of four rows, and invocations for each group.
const GROUPS = 8u;
const PARTS = 4u;
const BLOCK = 10u;
const MOST_CLASSES = 64u;
const NO_LABEL = 0xffffffffu;

// Partial sums: [BLOCK][GROUPS][PARTS] of four rows.
var<workgroup> parts: array<vec4<f32>, BLOCK * ROWS>;
// Logits, then the terms of softmax_row, then dlogits: [classes][GROUPS] of four rows.
var<workgroup> values: array<vec4<f32>, MOST_CLASSES * GROUPS>;
var<workgroup> losses: array<vec2<f32>, ROWS>;

// First row of the workgroup; rows are counted from it.
var<private> row0: u32;

// One vector of x.
fn vector(i: u32) -> vec4<f32> {
    return vec4<f32>(x[i]);
}

fn logit(row: u32, j: u32) -> f32 {
    return kept(row, j);
}

fn kept(row: u32, j: u32) -> f32 {
    return values[j * GROUPS + row / 4u][row % 4u];
}

fn keep(row: u32, j: u32, value: f32) {
    values[j * GROUPS + row / 4u][row % 4u] = value;
}

fn hand_out(row: u32, j: u32, value: f32) {
    keep(row, j, value);
    dlogits[(row0 + row) * params.classes + j] = value;
}

fn store_logit(row: u32, j: u32, value: f32) {
    if row0 + row < params.batch {
        logits[(row0 + row) * params.classes + j] = value;
    }
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let tile = group.y * groups.x + group.x;
    row0 = tile * ROWS;
    let classes = loop_bound(params.classes, groups);
    let quads = loop_bound(params.quads, groups);

    // Past the last row and the last class, the last one is computed again; its results are not
    // stored.
    let four = row0 + lane / PARTS * 4u;
    let last = params.batch - 1u;
    let x0 = min(four, last) * quads;
    let x1 = min(four + 1u, last) * quads;
    let x2 = min(four + 2u, last) * quads;
    let x3 = min(four + 3u, last) * quads;
    for (var block = 0u; block < classes; block += BLOCK) {
        let w0 = min(block, classes - 1u) * quads;
        let w1 = min(block + 1u, classes - 1u) * quads;
        let w2 = min(block + 2u, classes - 1u) * quads;
        let w3 = min(block + 3u, classes - 1u) * quads;
        let w4 = min(block + 4u, classes - 1u) * quads;
        let w5 = min(block + 5u, classes - 1u) * quads;
        let w6 = min(block + 6u, classes - 1u) * quads;
        let w7 = min(block + 7u, classes - 1u) * quads;
        let w8 = min(block + 8u, classes - 1u) * quads;
        let w9 = min(block + 9u, classes - 1u) * quads;
        var y0 = vec4(0.0);
        var y1 = vec4(0.0);
        var y2 = vec4(0.0);
        var y3 = vec4(0.0);
        var y4 = vec4(0.0);
        var y5 = vec4(0.0);
        var y6 = vec4(0.0);
        var y7 = vec4(0.0);
        var y8 = vec4(0.0);
        var y9 = vec4(0.0);
        for (var k = lane % PARTS; k < quads; k += PARTS) {
            let rows = mat4x4(vector(x0 + k), vector(x1 + k), vector(x2 + k), vector(x3 + k));
            y0 += w[w0 + k] * rows;
            y1 += w[w1 + k] * rows;
            y2 += w[w2 + k] * rows;
            y3 += w[w3 + k] * rows;
            y4 += w[w4 + k] * rows;
            y5 += w[w5 + k] * rows;
            y6 += w[w6 + k] * rows;
            y7 += w[w7 + k] * rows;
            y8 += w[w8 + k] * rows;
            y9 += w[w9 + k] * rows;
        }
        parts[lane] = y0;
        parts[ROWS + lane] = y1;
        parts[2u * ROWS + lane] = y2;
        parts[3u * ROWS + lane] = y3;
        parts[4u * ROWS + lane] = y4;
        parts[5u * ROWS + lane] = y5;
        parts[6u * ROWS + lane] = y6;
        parts[7u * ROWS + lane] = y7;
        parts[8u * ROWS + lane] = y8;
        parts[9u * ROWS + lane] = y9;
        workgroupBarrier();
        for (var sum = lane; sum < BLOCK * GROUPS; sum += ROWS) {
            let j = block + sum / GROUPS;
            if j < classes {
                let part = sum * PARTS;
                let sums = ((parts[part] + parts[part + 1u]) + parts[part + 2u]) + parts[part + 3u] + bias[j];
                values[block * GROUPS + sum] = sums;
                let row = sum % GROUPS * 4u;
                store_logit(row, j, sums.x);
                store_logit(row + 1u, j, sums.y);
                store_logit(row + 2u, j, sums.z);
                store_logit(row + 3u, j, sums.w);
            }
        }
        workgroupBarrier();
    }

    var loss_and_hit = vec2(0.0);
    if row0 + lane < params.batch {
        let label = labels[row0 + lane];
        if label == NO_LABEL {
            for (var j = 0u; j < classes; j++) {
                hand_out(lane, j, 0.0);
            }
        } else {
            loss_and_hit = step.row_weight * softmax_row(lane, classes, label, params.smoothing, step.rows);
        }
    }
    losses[lane] = loss_and_hit;
    workgroupBarrier();
    if lane == 0u && tile < params.partials {
        var sum = losses[0];
        for (var other = 1u; other < ROWS; other++) {
            sum += losses[other];
        }
        metrics[step.slot * params.partials + tile] = sum;
    }

    hand_back(lane, classes, quads);
}
