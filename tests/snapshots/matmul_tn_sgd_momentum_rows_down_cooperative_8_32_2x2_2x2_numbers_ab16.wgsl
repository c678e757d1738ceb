enable wgpu_cooperative_matrix;
enable f16;

// Activations and their gradients are stored in f16. Computations use f32.
alias Stored = f16;
const IN_HALF = true;

// y = a b, form tn, epilogue sgd_momentum: see src/ops/matmul/mod.rs for the shapes.
//
// One workgroup of 4 subgroups computes
// a tile of 32 x 32, one subgroup 2 x 2 matrices of
// 8 x 8. Each round loads 16 terms of a and of b into workgroup
// memory, as f16. Products are exact, sums are f32. A matrix of sums is stored through workgroup
// memory, because an invocation does not know which of its elements it holds.

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
@group(0) @binding(1) var<storage, read> a: array<Stored>;
@group(0) @binding(2) var<storage, read> b: array<Stored>;

// a[term, position .. position + 4], zeros past the last term.
fn load_a(term: u32, position: u32) -> vec4<f32> {
    let first = min(term, params.k - 1u) * params.m;
    let last = params.m - 1u;
    let value = vec4(
        f32(a[first + min(position, last)]),
        f32(a[first + min(position + 1u, last)]),
        f32(a[first + min(position + 2u, last)]),
        f32(a[first + min(position + 3u, last)]),
    );
    return select(value, vec4(0.0), term >= params.k);
}

// b[term, position .. position + 4].
fn load_b(term: u32, position: u32) -> vec4<f32> {
    let first = min(term, params.k - 1u) * params.n;
    let last = params.n - 1u;
    let value = vec4(
        f32(b[first + min(position, last)]),
        f32(b[first + min(position + 1u, last)]),
        f32(b[first + min(position + 2u, last)]),
        f32(b[first + min(position + 3u, last)]),
    );
    return value;
}

@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> v: array<f32>;
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

// Applies the epilogue to one element of the product;
// i is its index in y.
fn finish(i: u32, column: u32, product: f32) {
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
        let i = row * params.n + column;
        let rest = params.n - column;
        finish(i, column, product.x);
        if rest > 1u {
            finish(i + 1u, column + 1u, product.y);
        }
        if rest > 2u {
            finish(i + 2u, column + 2u, product.z);
        }
        if rest > 3u {
            finish(i + 3u, column + 3u, product.w);
        }
    }
}

var<workgroup> tile_a: array<f16, 640>;
var<workgroup> tile_b: array<f16, 640>;
var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(128)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_invocation_id) lane_of_subgroup: u32,
) {
    // Groups past the last tile compute from copies and store nothing, so that all invocations
    // reach every barrier.
    let tile = group.y * groups.x + group.x;
    let m0 = (tile / params.tiles_n) * 32u;
    let n0 = (tile % params.tiles_n) * 32u;
    let row = (subgroup / 2u) * 16u;
    let column = (subgroup % 2u) * 16u;
    var y0_0: coop_mat8x8<f32, C>;
    var y0_1: coop_mat8x8<f32, C>;
    var y1_0: coop_mat8x8<f32, C>;
    var y1_1: coop_mat8x8<f32, C>;
    let begin = 0u;
    let end = loop_bound(params.k, groups);
    for (var k0 = begin; k0 < end; k0 += 16u) {
        {
            let line = (lane + 0u) / 8u;
            let quad = (lane + 0u) % 8u;
            let value = vec4<f16>(load_a(k0 + line, m0 + quad * 4u));
            let at = line * 40u + quad * 4u;
            tile_a[at] = value.x;
            tile_a[at + 1u] = value.y;
            tile_a[at + 2u] = value.z;
            tile_a[at + 3u] = value.w;
        }
        {
            let line = (lane + 0u) / 8u;
            let quad = (lane + 0u) % 8u;
            let value = vec4<f16>(load_b(k0 + line, n0 + quad * 4u));
            let at = line * 40u + quad * 4u;
            tile_b[at] = value.x;
            tile_b[at + 1u] = value.y;
            tile_b[at + 2u] = value.z;
            tile_b[at + 3u] = value.w;
        }
        workgroupBarrier();
        {
            let a0 = coopLoad<coop_mat8x8<f16, A>>(&tile_a[(0u + row + 0u) / 1u], 40u);
            let a1 = coopLoad<coop_mat8x8<f16, A>>(&tile_a[(0u + row + 8u) / 1u], 40u);
            let b0 = coopLoadT<coop_mat8x8<f16, B>>(&tile_b[(0u + column + 0u) / 1u], 40u);
            let b1 = coopLoadT<coop_mat8x8<f16, B>>(&tile_b[(0u + column + 8u) / 1u], 40u);
            y0_0 = coopMultiplyAdd(a0, b0, y0_0);
            y0_1 = coopMultiplyAdd(a0, b1, y0_1);
            y1_0 = coopMultiplyAdd(a1, b0, y1_0);
            y1_1 = coopMultiplyAdd(a1, b1, y1_1);
        }
        {
            let a0 = coopLoad<coop_mat8x8<f16, A>>(&tile_a[(320u + row + 0u) / 1u], 40u);
            let a1 = coopLoad<coop_mat8x8<f16, A>>(&tile_a[(320u + row + 8u) / 1u], 40u);
            let b0 = coopLoadT<coop_mat8x8<f16, B>>(&tile_b[(320u + column + 0u) / 1u], 40u);
            let b1 = coopLoadT<coop_mat8x8<f16, B>>(&tile_b[(320u + column + 8u) / 1u], 40u);
            y0_0 = coopMultiplyAdd(a0, b0, y0_0);
            y0_1 = coopMultiplyAdd(a0, b1, y0_1);
            y1_0 = coopMultiplyAdd(a1, b0, y1_0);
            y1_1 = coopMultiplyAdd(a1, b1, y1_1);
        }
        workgroupBarrier();
    }
    // Each subgroup stores one matrix at a time. Every lane finishes four neighbours
    // of it.
    let kept = subgroup * 64u;
    coopStoreT(y0_0, &sums[kept / 1u], 8u);
    workgroupBarrier();
    if lane_of_subgroup + 0u < 16u {
        let quad = lane_of_subgroup + 0u;
        let below = row + 0u + quad / 2u;
        let beside = column + 0u + quad % 2u * 4u;
        store(m0 + below, n0 + beside, vec4(sums[kept + quad * 4u], sums[kept + quad * 4u + 1u], sums[kept + quad * 4u + 2u], sums[kept + quad * 4u + 3u]));
    }
    workgroupBarrier();
    coopStoreT(y0_1, &sums[kept / 1u], 8u);
    workgroupBarrier();
    if lane_of_subgroup + 0u < 16u {
        let quad = lane_of_subgroup + 0u;
        let below = row + 0u + quad / 2u;
        let beside = column + 8u + quad % 2u * 4u;
        store(m0 + below, n0 + beside, vec4(sums[kept + quad * 4u], sums[kept + quad * 4u + 1u], sums[kept + quad * 4u + 2u], sums[kept + quad * 4u + 3u]));
    }
    workgroupBarrier();
    coopStoreT(y1_0, &sums[kept / 1u], 8u);
    workgroupBarrier();
    if lane_of_subgroup + 0u < 16u {
        let quad = lane_of_subgroup + 0u;
        let below = row + 8u + quad / 2u;
        let beside = column + 0u + quad % 2u * 4u;
        store(m0 + below, n0 + beside, vec4(sums[kept + quad * 4u], sums[kept + quad * 4u + 1u], sums[kept + quad * 4u + 2u], sums[kept + quad * 4u + 3u]));
    }
    workgroupBarrier();
    coopStoreT(y1_1, &sums[kept / 1u], 8u);
    workgroupBarrier();
    if lane_of_subgroup + 0u < 16u {
        let quad = lane_of_subgroup + 0u;
        let below = row + 8u + quad / 2u;
        let beside = column + 8u + quad % 2u * 4u;
        store(m0 + below, n0 + beside, vec4(sums[kept + quad * 4u], sums[kept + quad * 4u + 1u], sums[kept + quad * 4u + 2u], sums[kept + quad * 4u + 3u]));
    }
    workgroupBarrier();
    // The first column of tiles computes the row sums. Four lanes share four rows, each with a
    // quarter of the terms. Values past the last term are zero, and a split of the sums ends where
    // a round does.
    let is_first = tile % params.tiles_n == 0u;
    if is_first & (lane < 32u) {
        let position0 = m0 + (lane + 0u) % 8u * 4u;
        let offset0 = (lane + 0u) / 8u;
        var sum0 = vec4(0.0);
        for (var term = begin; term < end; term += 4u) {
            sum0 += load_a(term + offset0, position0);
        }
        sums[(lane + 0u) * 4u] = sum0.x;
        sums[(lane + 0u) * 4u + 1u] = sum0.y;
        sums[(lane + 0u) * 4u + 2u] = sum0.z;
        sums[(lane + 0u) * 4u + 3u] = sum0.w;
    }
    workgroupBarrier();
    if is_first & (lane + 0u < 8u) {
        let share = lane + 0u;
        var sum = vec4(sums[share * 4u], sums[share * 4u + 1u], sums[share * 4u + 2u], sums[share * 4u + 3u]);
        sum += vec4(sums[(share + 8u) * 4u], sums[(share + 8u) * 4u + 1u], sums[(share + 8u) * 4u + 2u], sums[(share + 8u) * 4u + 3u]);
        sum += vec4(sums[(share + 16u) * 4u], sums[(share + 16u) * 4u + 1u], sums[(share + 16u) * 4u + 2u], sums[(share + 16u) * 4u + 3u]);
        sum += vec4(sums[(share + 24u) * 4u], sums[(share + 24u) * 4u + 1u], sums[(share + 24u) * 4u + 2u], sums[(share + 24u) * 4u + 3u]);
        let first = m0 + share * 4u;
        if first + 0u < params.m {
            finish_row(first + 0u, sum.x);
        }
        if first + 1u < params.m {
            finish_row(first + 1u, sum.y);
        }
        if first + 2u < params.m {
            finish_row(first + 2u, sum.z);
        }
        if first + 3u < params.m {
            finish_row(first + 3u, sum.w);
        }
    }
}
