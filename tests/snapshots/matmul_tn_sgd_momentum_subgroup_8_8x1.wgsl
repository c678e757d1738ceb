// y = a b, form tn, epilogue sgd_momentum: see shaders/matmul_common.wgsl.j2 for the shapes.
//
// One workgroup is one subgroup of 8 lanes and computes a tile of 8 x 32. Each lane
// owns 1 x 4 columns and all rows. A round takes four terms: each lane loads its share of
// a's rows once and broadcasts it, so the tile needs no workgroup memory.

// A loop's bound that comes from a uniform, plus a zero that no compiler can see through.
//
// Mesa's software driver specialises a kernel for the uniforms that bound its loops, and does so
// anew at every dispatch, which takes a thousand times as long as the kernel itself. Through this
// function the bound is no longer a uniform's value alone. `groups` is `num_workgroups`.
fn loop_bound(bound: u32, groups: vec3<u32>) -> u32 {
    return bound + (groups.z >> 31u);
}

// What changes from step to step: the Rust struct StepRecord.
struct Step {
    // Where in the epoch's order this batch starts.
    first: u32,
    // Rows of the batch that hold an image.
    rows: u32,
    // Slot of the metric rings that this run writes.
    slot: u32,
    // What the loss and the hit of one row count in the metrics.
    row_weight: f32,
    learning_rate: f32,
}

@group(1) @binding(0) var<uniform> step: Step;

struct Params {
    m: u32,
    n: u32,
    k: u32,
    // Tiles across one row of tiles.
    tiles_n: u32,
    decay: f32,
    momentum: f32,
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> v: array<f32>;

// a[line, start .. start + 4], zeros past the end of the line or past the last line.
fn load_a(line: u32, start: u32) -> vec4<f32> {
    if line >= params.k || start >= params.m {
        return vec4(0.0);
    }
    let i = line * params.m + start;
    let rest = params.m - start;
    var value = vec4(a[i], 0.0, 0.0, 0.0);
    if rest > 1u { value.y = a[i + 1u]; }
    if rest > 2u { value.z = a[i + 2u]; }
    if rest > 3u { value.w = a[i + 3u]; }
    return value;
}

// b[line, start .. start + 4], zeros past the end of the line or past the last line.
fn load_b(line: u32, start: u32) -> vec4<f32> {
    if line >= params.k || start >= params.n {
        return vec4(0.0);
    }
    let i = line * params.n + start;
    let rest = params.n - start;
    var value = vec4(b[i], 0.0, 0.0, 0.0);
    if rest > 1u { value.y = b[i + 1u]; }
    if rest > 2u { value.z = b[i + 2u]; }
    if rest > 3u { value.w = b[i + 3u]; }
    return value;
}

// Writes one element of the product through the epilogue.
fn finish(i: u32, column: u32, product: f32) {
    let g = product + params.decay * y[i];
    let velocity = params.momentum * v[i] + g;
    v[i] = velocity;
    let direction = select(velocity, g + params.momentum * velocity, params.nesterov == 1u);
    y[i] -= step.learning_rate * direction;
}

// Writes four neighbours of the product's row `row`, from `column` on, through the epilogue.
fn store(row: u32, column: u32, product: vec4<f32>) {
    if row >= params.m || column >= params.n {
        return;
    }
    let i = row * params.n + column;
    let rest = params.n - column;
    finish(i, column, product.x);
    if rest > 1u { finish(i + 1u, column + 1u, product.y); }
    if rest > 2u { finish(i + 2u, column + 2u, product.z); }
    if rest > 3u { finish(i + 3u, column + 3u, product.w); }
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
    let terms = loop_bound(params.k, groups);
    for (var k0 = 0u; k0 < terms; k0 += 4u) {
        // Lane l holds four rows of term l % 4, block l / 4.
        let a0 = load_a(k0 + (lane + 0u) % 4u, m0 + (lane + 0u) / 4u * 4u);
        let b0_0 = load_b(k0, n0 + 0u);
        let b1_0 = load_b(k0 + 1u, n0 + 0u);
        let b2_0 = load_b(k0 + 2u, n0 + 0u);
        let b3_0 = load_b(k0 + 3u, n0 + 0u);
        let t0 = subgroupBroadcast(a0, 0u);
        y0_0 += t0.x * b0_0;
        y1_0 += t0.y * b0_0;
        y2_0 += t0.z * b0_0;
        y3_0 += t0.w * b0_0;
        let t1 = subgroupBroadcast(a0, 1u);
        y0_0 += t1.x * b1_0;
        y1_0 += t1.y * b1_0;
        y2_0 += t1.z * b1_0;
        y3_0 += t1.w * b1_0;
        let t2 = subgroupBroadcast(a0, 2u);
        y0_0 += t2.x * b2_0;
        y1_0 += t2.y * b2_0;
        y2_0 += t2.z * b2_0;
        y3_0 += t2.w * b2_0;
        let t3 = subgroupBroadcast(a0, 3u);
        y0_0 += t3.x * b3_0;
        y1_0 += t3.y * b3_0;
        y2_0 += t3.z * b3_0;
        y3_0 += t3.w * b3_0;
        let t4 = subgroupBroadcast(a0, 4u);
        y4_0 += t4.x * b0_0;
        y5_0 += t4.y * b0_0;
        y6_0 += t4.z * b0_0;
        y7_0 += t4.w * b0_0;
        let t5 = subgroupBroadcast(a0, 5u);
        y4_0 += t5.x * b1_0;
        y5_0 += t5.y * b1_0;
        y6_0 += t5.z * b1_0;
        y7_0 += t5.w * b1_0;
        let t6 = subgroupBroadcast(a0, 6u);
        y4_0 += t6.x * b2_0;
        y5_0 += t6.y * b2_0;
        y6_0 += t6.z * b2_0;
        y7_0 += t6.w * b2_0;
        let t7 = subgroupBroadcast(a0, 7u);
        y4_0 += t7.x * b3_0;
        y5_0 += t7.y * b3_0;
        y6_0 += t7.z * b3_0;
        y7_0 += t7.w * b3_0;
    }
    store(m0 + 0u, n0 + 0u, y0_0);
    store(m0 + 1u, n0 + 0u, y1_0);
    store(m0 + 2u, n0 + 0u, y2_0);
    store(m0 + 3u, n0 + 0u, y3_0);
    store(m0 + 4u, n0 + 0u, y4_0);
    store(m0 + 5u, n0 + 0u, y5_0);
    store(m0 + 6u, n0 + 0u, y6_0);
    store(m0 + 7u, n0 + 0u, y7_0);
}
