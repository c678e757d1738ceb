// y = a b, form nt, epilogue bias_relu: see src/ops/matmul/mod.rs for the shapes.
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
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> normalisation: array<vec2<f32>>;

// The four pixels of a word, times a channel's scale, plus its shift.
fn normalised(word: u32, factors: vec2<f32>) -> vec4<f32> {
    let bytes = (vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u);
    // Signed integers, which processors convert in one instruction.
    return vec4<f32>(vec4<i32>(bytes)) * factors.x + factors.y;
}

// Scale and shift of a pixel's channel. Channels are whole vectors of sixteen pixels, so a round
// never covers two.
fn factors_of(pixel: u32) -> vec2<f32> {
    return normalisation[min(pixel, params.k - 1u) / params.plane];
}

// a[line, term .. term + 4].
fn load_a(line: u32, term: u32, factors: vec2<f32>) -> vec4<f32> {
    let first = min(line, params.m - 1u) * params.k;
    let value = normalised(a[(first + min(term, params.k - 4u)) / 4u], factors);
    return value;
}

// b[line, term .. term + 4].
fn load_b(line: u32, term: u32) -> vec4<f32> {
    let first = min(line, params.n - 1u) * params.k;
    let value = b[(first + min(term, params.k - 4u)) / 4u];
    return value;
}

@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> bias: array<vec4<f32>>;

// Applies the epilogue to four neighbours of the product;
// i and column count in fours.
fn finish(i: u32, column: u32, product: vec4<f32>) {
    let sum = product + bias[column];
    y[i] = select(sum, vec4<f32>(0.0), sum < vec4<f32>(0.0));
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
    let begin = 0u;
    let end = loop_bound(params.k, groups);
    var factors = vec2(0.0);
    var channel_end = 0u;
    for (var k0 = begin; k0 < end; k0 += 4u) {
        if k0 >= channel_end {
            factors = factors_of(k0);
            channel_end = (k0 / params.plane + 1u) * params.plane;
        }
        // Lane l holds
        // four terms of row l
        // only.
        let a0 = load_a(m0 + lane + 0u, k0, factors);
        let c0_0 = load_b(n0 + 0u, k0);
        let c1_0 = load_b(n0 + 0u + 1u, k0);
        let c2_0 = load_b(n0 + 0u + 2u, k0);
        let c3_0 = load_b(n0 + 0u + 3u, k0);
        let b0_0 = vec4(c0_0.x, c1_0.x, c2_0.x, c3_0.x);
        let b1_0 = vec4(c0_0.y, c1_0.y, c2_0.y, c3_0.y);
        let b2_0 = vec4(c0_0.z, c1_0.z, c2_0.z, c3_0.z);
        let b3_0 = vec4(c0_0.w, c1_0.w, c2_0.w, c3_0.w);
        let r0 = subgroupBroadcast(a0, 0u);
        y0_0 = fma(vec4(r0.x), b0_0, y0_0);
        y0_0 = fma(vec4(r0.y), b1_0, y0_0);
        y0_0 = fma(vec4(r0.z), b2_0, y0_0);
        y0_0 = fma(vec4(r0.w), b3_0, y0_0);
        let r1 = subgroupBroadcast(a0, 1u);
        y1_0 = fma(vec4(r1.x), b0_0, y1_0);
        y1_0 = fma(vec4(r1.y), b1_0, y1_0);
        y1_0 = fma(vec4(r1.z), b2_0, y1_0);
        y1_0 = fma(vec4(r1.w), b3_0, y1_0);
        let r2 = subgroupBroadcast(a0, 2u);
        y2_0 = fma(vec4(r2.x), b0_0, y2_0);
        y2_0 = fma(vec4(r2.y), b1_0, y2_0);
        y2_0 = fma(vec4(r2.z), b2_0, y2_0);
        y2_0 = fma(vec4(r2.w), b3_0, y2_0);
        let r3 = subgroupBroadcast(a0, 3u);
        y3_0 = fma(vec4(r3.x), b0_0, y3_0);
        y3_0 = fma(vec4(r3.y), b1_0, y3_0);
        y3_0 = fma(vec4(r3.z), b2_0, y3_0);
        y3_0 = fma(vec4(r3.w), b3_0, y3_0);
        let r4 = subgroupBroadcast(a0, 4u);
        y4_0 = fma(vec4(r4.x), b0_0, y4_0);
        y4_0 = fma(vec4(r4.y), b1_0, y4_0);
        y4_0 = fma(vec4(r4.z), b2_0, y4_0);
        y4_0 = fma(vec4(r4.w), b3_0, y4_0);
        let r5 = subgroupBroadcast(a0, 5u);
        y5_0 = fma(vec4(r5.x), b0_0, y5_0);
        y5_0 = fma(vec4(r5.y), b1_0, y5_0);
        y5_0 = fma(vec4(r5.z), b2_0, y5_0);
        y5_0 = fma(vec4(r5.w), b3_0, y5_0);
        let r6 = subgroupBroadcast(a0, 6u);
        y6_0 = fma(vec4(r6.x), b0_0, y6_0);
        y6_0 = fma(vec4(r6.y), b1_0, y6_0);
        y6_0 = fma(vec4(r6.z), b2_0, y6_0);
        y6_0 = fma(vec4(r6.w), b3_0, y6_0);
        let r7 = subgroupBroadcast(a0, 7u);
        y7_0 = fma(vec4(r7.x), b0_0, y7_0);
        y7_0 = fma(vec4(r7.y), b1_0, y7_0);
        y7_0 = fma(vec4(r7.z), b2_0, y7_0);
        y7_0 = fma(vec4(r7.w), b3_0, y7_0);
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
