enable f16;

// Activations and their gradients are stored in f16. Computations use f32.
alias Stored = f16;
const IN_HALF = true;

// y = a b, form tn, epilogue sgd_momentum: see src/ops/matmul/mod.rs for the shapes.
//
// One workgroup is one subgroup of 8 lanes and computes a tile of
// 8 x 32. Each lane computes 1 x 4 columns and all rows. A
// round takes four terms: each lane loads its share of a's rows once and broadcasts it, so the
// tile needs no workgroup memory.

// Adds a zero that no compiler can predict to a loop bound from a uniform.
//
// Mesa's software driver specialises a kernel for the uniforms that bound its loops. It does so
// again at every dispatch, which takes a thousand times as long as the kernel itself. With this
// function, the bound does not depend on a uniform alone. `groups` is `num_workgroups`.
fn loop_bound(bound: u32, groups: vec3<u32>) -> u32 {
    return bound + (groups.z >> 31u);
}

struct Params {
    m: u32,
    n: u32,
    k: u32,
    // Number of tiles in one row of tiles.
    tiles_n: u32,
    // Number of terms in one split of the sums, and number of splits (split-K).
    part_k: u32,
    parts: u32,
    // Number of elements from the results of one split to those of the next.
    part_stride: u32,
    // Pixels of a channel, if an operand is a batch of pixels.
    plane: u32,
    // Size of the map whose patches are an operand, and its number of elements.
    map_height: u32,
    map_width: u32,
    channels: u32,
    map_length: u32,
    // Terms per cell: its channels, rounded up to whole vectors.
    cell_terms: u32,
    // Windows of an image, and kernel positions of a window.
    windows_height: u32,
    windows_width: u32,
    kernel_area: u32,
    kernel_width: u32,
    stride: u32,
    lhs_dilation: u32,
    // Padding above and to the left of the map.
    pad_top: u32,
    pad_left: u32,
    // Elements from the end of one row of windows to the start of the next, and likewise for
    // images.
    line_skip: u32,
    image_skip: u32,
    // Factor of the learning rate.
    rate: f32,
    bias_rate: f32,
    decay: f32,
    bias_decay: f32,
    momentum: f32,
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<Stored>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<Stored>>;

// a[term, position .. position + 4], zeros past the last term.
fn load_a(term: u32, position: u32) -> vec4<f32> {
    let first = min(term, params.k - 1u) * params.m;
    let value = vec4<f32>(a[(first + min(position, params.m - 4u)) / 4u]);
    return select(value, vec4(0.0), term >= params.k);
}

// b[term, position .. position + 4].
fn load_b(term: u32, position: u32) -> vec4<f32> {
    let first = min(term, params.k - 1u) * params.n;
    let value = vec4<f32>(b[(first + min(position, params.n - 4u)) / 4u]);
    return value;
}

@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> bias_v: array<f32>;

// The data of one run of a step: the Rust struct StepRecord.
struct Step {
    // First image of this batch, as an index into the epoch's order.
    first: u32,
    // Number of rows of the batch that hold an image.
    rows: u32,
    // Slot of the metric rings that this run writes.
    slot: u32,
    // Weight of one row in the metrics.
    row_weight: f32,
    // The current epoch, and the number of steps before this one.
    epoch: u32,
    step: u32,
    learning_rate: f32,
    // Bias corrections of Adam's moments, which start at zero.
    mean_scale: f32,
    root_scale: f32,
    // Weight of the parameters in the update of their moving averages.
    average_share: f32,
}

@group(1) @binding(0) var<uniform> step: Step;

// The loss scale of f16 gradients: see src/plan/loss_scale.rs. A step of no rows, which only a
// tuner runs, must produce zeros, not infinities.
fn gradient_scale() -> f32 {
    return select(1.0, 128.0 * f32(max(step.rows, 1u)), IN_HALF);
}

// Applies the epilogue to four neighbours of the product;
// i and column count in fours.
fn finish(i: u32, column: u32, product: vec4<f32>) {
    let old = y[i];
    let g = product / gradient_scale() + params.decay * old;
    let velocity = params.momentum * v[i] + g;
    v[i] = velocity;
    let direction = select(velocity, g + params.momentum * velocity, params.nesterov == 1u);
    y[i] = old - params.rate * step.learning_rate * direction;
}

// Adds the sum of one row of the first operand to the bias, whose gradient it is.
fn finish_row(row: u32, sum: f32) {
    let old = bias[row];
    let g = sum / gradient_scale() + params.bias_decay * old;
    let velocity = params.momentum * bias_v[row] + g;
    bias_v[row] = velocity;
    let direction = select(velocity, g + params.momentum * velocity, params.nesterov == 1u);
    bias[row] = old - params.bias_rate * step.learning_rate * direction;
}

// Finishes four neighbours of the product's row `row`, from `column` on, as far as they are inside.
fn store(row: u32, column: u32, product: vec4<f32>) {
    if (row < params.m) & (column < params.n) {
        finish((row * params.n + column) / 4u, column / 4u, product);
    }
}

@compute @workgroup_size(8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let tile = group.y * groups.x + group.x;
    let m0 = (tile / params.tiles_n) * 8u;
    let n0 = (tile % params.tiles_n) * 32u + lane * 4u;
    var y0_0 = vec4(0.0);
    var y1_0 = vec4(0.0);
    var y2_0 = vec4(0.0);
    var y3_0 = vec4(0.0);
    var y4_0 = vec4(0.0);
    var y5_0 = vec4(0.0);
    var y6_0 = vec4(0.0);
    var y7_0 = vec4(0.0);
    var sums0 = vec4(0.0);
    let begin = 0u;
    let end = loop_bound(params.k, groups);
    for (var k0 = begin; k0 < end; k0 += 4u) {
        // Lane l holds
        // four rows of term l % 4, block l / 4
        // only.
        let a0 = load_a(k0 + (lane + 0u) % 4u, m0 + (lane + 0u) / 4u * 4u);
        sums0 += a0;
        let b0_0 = load_b(k0, n0 + 0u);
        let b1_0 = load_b(k0 + 1u, n0 + 0u);
        let b2_0 = load_b(k0 + 2u, n0 + 0u);
        let b3_0 = load_b(k0 + 3u, n0 + 0u);
        let t0 = subgroupBroadcast(a0, 0u);
        let t1 = subgroupBroadcast(a0, 1u);
        let t2 = subgroupBroadcast(a0, 2u);
        let t3 = subgroupBroadcast(a0, 3u);
        y0_0 = fma(vec4(t0.x), b0_0, y0_0);
        y0_0 = fma(vec4(t1.x), b1_0, y0_0);
        y0_0 = fma(vec4(t2.x), b2_0, y0_0);
        y0_0 = fma(vec4(t3.x), b3_0, y0_0);
        y1_0 = fma(vec4(t0.y), b0_0, y1_0);
        y1_0 = fma(vec4(t1.y), b1_0, y1_0);
        y1_0 = fma(vec4(t2.y), b2_0, y1_0);
        y1_0 = fma(vec4(t3.y), b3_0, y1_0);
        y2_0 = fma(vec4(t0.z), b0_0, y2_0);
        y2_0 = fma(vec4(t1.z), b1_0, y2_0);
        y2_0 = fma(vec4(t2.z), b2_0, y2_0);
        y2_0 = fma(vec4(t3.z), b3_0, y2_0);
        y3_0 = fma(vec4(t0.w), b0_0, y3_0);
        y3_0 = fma(vec4(t1.w), b1_0, y3_0);
        y3_0 = fma(vec4(t2.w), b2_0, y3_0);
        y3_0 = fma(vec4(t3.w), b3_0, y3_0);
        let t4 = subgroupBroadcast(a0, 4u);
        let t5 = subgroupBroadcast(a0, 5u);
        let t6 = subgroupBroadcast(a0, 6u);
        let t7 = subgroupBroadcast(a0, 7u);
        y4_0 = fma(vec4(t4.x), b0_0, y4_0);
        y4_0 = fma(vec4(t5.x), b1_0, y4_0);
        y4_0 = fma(vec4(t6.x), b2_0, y4_0);
        y4_0 = fma(vec4(t7.x), b3_0, y4_0);
        y5_0 = fma(vec4(t4.y), b0_0, y5_0);
        y5_0 = fma(vec4(t5.y), b1_0, y5_0);
        y5_0 = fma(vec4(t6.y), b2_0, y5_0);
        y5_0 = fma(vec4(t7.y), b3_0, y5_0);
        y6_0 = fma(vec4(t4.z), b0_0, y6_0);
        y6_0 = fma(vec4(t5.z), b1_0, y6_0);
        y6_0 = fma(vec4(t6.z), b2_0, y6_0);
        y6_0 = fma(vec4(t7.z), b3_0, y6_0);
        y7_0 = fma(vec4(t4.w), b0_0, y7_0);
        y7_0 = fma(vec4(t5.w), b1_0, y7_0);
        y7_0 = fma(vec4(t6.w), b2_0, y7_0);
        y7_0 = fma(vec4(t7.w), b3_0, y7_0);
    }
    store(m0 + 0u, n0 + 0u, y0_0);
    store(m0 + 1u, n0 + 0u, y1_0);
    store(m0 + 2u, n0 + 0u, y2_0);
    store(m0 + 3u, n0 + 0u, y3_0);
    store(m0 + 4u, n0 + 0u, y4_0);
    store(m0 + 5u, n0 + 0u, y5_0);
    store(m0 + 6u, n0 + 0u, y6_0);
    store(m0 + 7u, n0 + 0u, y7_0);
    // Four lanes hold a block of four rows, each a quarter of the terms. Lane l finishes row l
    // only.
    var s0 = subgroupBroadcast(sums0, 0u);
    s0 += subgroupBroadcast(sums0, 1u);
    s0 += subgroupBroadcast(sums0, 2u);
    s0 += subgroupBroadcast(sums0, 3u);
    var s1 = subgroupBroadcast(sums0, 4u);
    s1 += subgroupBroadcast(sums0, 5u);
    s1 += subgroupBroadcast(sums0, 6u);
    s1 += subgroupBroadcast(sums0, 7u);
    var row_sum0 = 0.0;
    row_sum0 = select(row_sum0, s0.x, lane == 0u);
    row_sum0 = select(row_sum0, s0.y, lane == 1u);
    row_sum0 = select(row_sum0, s0.z, lane == 2u);
    row_sum0 = select(row_sum0, s0.w, lane == 3u);
    row_sum0 = select(row_sum0, s1.x, lane == 4u);
    row_sum0 = select(row_sum0, s1.y, lane == 5u);
    row_sum0 = select(row_sum0, s1.z, lane == 6u);
    row_sum0 = select(row_sum0, s1.w, lane == 7u);
    if (tile % params.tiles_n == 0u) & (lane < 8u) & (m0 + lane + 0u < params.m) {
        finish_row(m0 + lane + 0u, row_sum0);
    }
}
