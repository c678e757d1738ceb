// y = a b, form nt, epilogue bias_relu: see src/ops/matmul/mod.rs for the shapes.
//
// One workgroup computes a tile of 32 x 32, one invocation
// 4 x 4 of it, held in vec4 registers with names. Each round loads
// 16 terms of a and of b into workgroup memory, both in the layout [term, position], in
// blocks of 4 x 4 that are transposed in registers if memory has the other layout.
//
// Tiles are nested arrays: a constant first index needs no bounds check, and one check of the
// second serves all terms, so that a read is one instruction. The operands of a term are read
// before the multiply-adds of the previous one, which hide the latency.

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
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;

// a[line, term .. term + 4], zeros past the last term.
fn load_a(line: u32, term: u32) -> vec4<f32> {
    let first = min(line, params.m - 1u) * params.k;
    let value = a[(first + min(term, params.k - 4u)) / 4u];
    return select(value, vec4(0.0), vec4(term, term + 1u, term + 2u, term + 3u) >= vec4(params.k));
}

// b[line, term .. term + 4].
fn load_b(line: u32, term: u32) -> vec4<f32> {
    let first = min(line, params.n - 1u) * params.k;
    let value = b[(first + min(term, params.k - 4u)) / 4u];
    return value;
}

@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;

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

var<workgroup> tile_a: array<array<vec4<f32>, 8>, 16>;
var<workgroup> tile_b: array<array<vec4<f32>, 8>, 16>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    // Groups past the last tile compute from copies and store nothing, so that all invocations
    // reach every barrier.
    let tile = group.y * groups.x + group.x;
    let m0 = (tile / params.tiles_n) * 32u;
    let n0 = (tile % params.tiles_n) * 32u;
    let row = (lane / 8u) * 4u;
    let column = lane % 8u;
    var y0_0 = vec4(0.0);
    var y1_0 = vec4(0.0);
    var y2_0 = vec4(0.0);
    var y3_0 = vec4(0.0);
    let begin = 0u;
    let end = loop_bound(params.k, groups);
    for (var k0 = begin; k0 < end; k0 += 16u) {
        {
            let block = lane + 0u;
            if block < 32u {
                let position = block % 8u;
                let term = (block / 8u) * 4u;
                let b0 = load_a(m0 + position * 4u, k0 + term);
                let b1 = load_a(m0 + position * 4u + 1u, k0 + term);
                let b2 = load_a(m0 + position * 4u + 2u, k0 + term);
                let b3 = load_a(m0 + position * 4u + 3u, k0 + term);
                tile_a[term][position] = vec4(b0.x, b1.x, b2.x, b3.x);
                tile_a[term + 1u][position] = vec4(b0.y, b1.y, b2.y, b3.y);
                tile_a[term + 2u][position] = vec4(b0.z, b1.z, b2.z, b3.z);
                tile_a[term + 3u][position] = vec4(b0.w, b1.w, b2.w, b3.w);
            } else if block < 64u {
                let position = (block - 32u) % 8u;
                let term = ((block - 32u) / 8u) * 4u;
                let b0 = load_b(n0 + position * 4u, k0 + term);
                let b1 = load_b(n0 + position * 4u + 1u, k0 + term);
                let b2 = load_b(n0 + position * 4u + 2u, k0 + term);
                let b3 = load_b(n0 + position * 4u + 3u, k0 + term);
                tile_b[term][position] = vec4(b0.x, b1.x, b2.x, b3.x);
                tile_b[term + 1u][position] = vec4(b0.y, b1.y, b2.y, b3.y);
                tile_b[term + 2u][position] = vec4(b0.z, b1.z, b2.z, b3.z);
                tile_b[term + 3u][position] = vec4(b0.w, b1.w, b2.w, b3.w);
            }
        }
        workgroupBarrier();
        let b0_0 = tile_b[0u][column];
        let a0_0 = tile_a[0u][row / 4u];
        let b1_0 = tile_b[1u][column];
        let a1_0 = tile_a[1u][row / 4u];
        y0_0 = fma(vec4(a0_0.x), b0_0, y0_0);
        y1_0 = fma(vec4(a0_0.y), b0_0, y1_0);
        y2_0 = fma(vec4(a0_0.z), b0_0, y2_0);
        y3_0 = fma(vec4(a0_0.w), b0_0, y3_0);
        let b2_0 = tile_b[2u][column];
        let a2_0 = tile_a[2u][row / 4u];
        y0_0 = fma(vec4(a1_0.x), b1_0, y0_0);
        y1_0 = fma(vec4(a1_0.y), b1_0, y1_0);
        y2_0 = fma(vec4(a1_0.z), b1_0, y2_0);
        y3_0 = fma(vec4(a1_0.w), b1_0, y3_0);
        let b3_0 = tile_b[3u][column];
        let a3_0 = tile_a[3u][row / 4u];
        y0_0 = fma(vec4(a2_0.x), b2_0, y0_0);
        y1_0 = fma(vec4(a2_0.y), b2_0, y1_0);
        y2_0 = fma(vec4(a2_0.z), b2_0, y2_0);
        y3_0 = fma(vec4(a2_0.w), b2_0, y3_0);
        let b4_0 = tile_b[4u][column];
        let a4_0 = tile_a[4u][row / 4u];
        y0_0 = fma(vec4(a3_0.x), b3_0, y0_0);
        y1_0 = fma(vec4(a3_0.y), b3_0, y1_0);
        y2_0 = fma(vec4(a3_0.z), b3_0, y2_0);
        y3_0 = fma(vec4(a3_0.w), b3_0, y3_0);
        let b5_0 = tile_b[5u][column];
        let a5_0 = tile_a[5u][row / 4u];
        y0_0 = fma(vec4(a4_0.x), b4_0, y0_0);
        y1_0 = fma(vec4(a4_0.y), b4_0, y1_0);
        y2_0 = fma(vec4(a4_0.z), b4_0, y2_0);
        y3_0 = fma(vec4(a4_0.w), b4_0, y3_0);
        let b6_0 = tile_b[6u][column];
        let a6_0 = tile_a[6u][row / 4u];
        y0_0 = fma(vec4(a5_0.x), b5_0, y0_0);
        y1_0 = fma(vec4(a5_0.y), b5_0, y1_0);
        y2_0 = fma(vec4(a5_0.z), b5_0, y2_0);
        y3_0 = fma(vec4(a5_0.w), b5_0, y3_0);
        let b7_0 = tile_b[7u][column];
        let a7_0 = tile_a[7u][row / 4u];
        y0_0 = fma(vec4(a6_0.x), b6_0, y0_0);
        y1_0 = fma(vec4(a6_0.y), b6_0, y1_0);
        y2_0 = fma(vec4(a6_0.z), b6_0, y2_0);
        y3_0 = fma(vec4(a6_0.w), b6_0, y3_0);
        let b8_0 = tile_b[8u][column];
        let a8_0 = tile_a[8u][row / 4u];
        y0_0 = fma(vec4(a7_0.x), b7_0, y0_0);
        y1_0 = fma(vec4(a7_0.y), b7_0, y1_0);
        y2_0 = fma(vec4(a7_0.z), b7_0, y2_0);
        y3_0 = fma(vec4(a7_0.w), b7_0, y3_0);
        let b9_0 = tile_b[9u][column];
        let a9_0 = tile_a[9u][row / 4u];
        y0_0 = fma(vec4(a8_0.x), b8_0, y0_0);
        y1_0 = fma(vec4(a8_0.y), b8_0, y1_0);
        y2_0 = fma(vec4(a8_0.z), b8_0, y2_0);
        y3_0 = fma(vec4(a8_0.w), b8_0, y3_0);
        let b10_0 = tile_b[10u][column];
        let a10_0 = tile_a[10u][row / 4u];
        y0_0 = fma(vec4(a9_0.x), b9_0, y0_0);
        y1_0 = fma(vec4(a9_0.y), b9_0, y1_0);
        y2_0 = fma(vec4(a9_0.z), b9_0, y2_0);
        y3_0 = fma(vec4(a9_0.w), b9_0, y3_0);
        let b11_0 = tile_b[11u][column];
        let a11_0 = tile_a[11u][row / 4u];
        y0_0 = fma(vec4(a10_0.x), b10_0, y0_0);
        y1_0 = fma(vec4(a10_0.y), b10_0, y1_0);
        y2_0 = fma(vec4(a10_0.z), b10_0, y2_0);
        y3_0 = fma(vec4(a10_0.w), b10_0, y3_0);
        let b12_0 = tile_b[12u][column];
        let a12_0 = tile_a[12u][row / 4u];
        y0_0 = fma(vec4(a11_0.x), b11_0, y0_0);
        y1_0 = fma(vec4(a11_0.y), b11_0, y1_0);
        y2_0 = fma(vec4(a11_0.z), b11_0, y2_0);
        y3_0 = fma(vec4(a11_0.w), b11_0, y3_0);
        let b13_0 = tile_b[13u][column];
        let a13_0 = tile_a[13u][row / 4u];
        y0_0 = fma(vec4(a12_0.x), b12_0, y0_0);
        y1_0 = fma(vec4(a12_0.y), b12_0, y1_0);
        y2_0 = fma(vec4(a12_0.z), b12_0, y2_0);
        y3_0 = fma(vec4(a12_0.w), b12_0, y3_0);
        let b14_0 = tile_b[14u][column];
        let a14_0 = tile_a[14u][row / 4u];
        y0_0 = fma(vec4(a13_0.x), b13_0, y0_0);
        y1_0 = fma(vec4(a13_0.y), b13_0, y1_0);
        y2_0 = fma(vec4(a13_0.z), b13_0, y2_0);
        y3_0 = fma(vec4(a13_0.w), b13_0, y3_0);
        let b15_0 = tile_b[15u][column];
        let a15_0 = tile_a[15u][row / 4u];
        y0_0 = fma(vec4(a14_0.x), b14_0, y0_0);
        y1_0 = fma(vec4(a14_0.y), b14_0, y1_0);
        y2_0 = fma(vec4(a14_0.z), b14_0, y2_0);
        y3_0 = fma(vec4(a14_0.w), b14_0, y3_0);
        y0_0 = fma(vec4(a15_0.x), b15_0, y0_0);
        y1_0 = fma(vec4(a15_0.y), b15_0, y1_0);
        y2_0 = fma(vec4(a15_0.z), b15_0, y2_0);
        y3_0 = fma(vec4(a15_0.w), b15_0, y3_0);
        workgroupBarrier();
    }
    store(m0 + row + 0u, n0 + (column + 0u) * 4u, y0_0);
    store(m0 + row + 1u, n0 + (column + 0u) * 4u, y1_0);
    store(m0 + row + 2u, n0 + (column + 0u) * 4u, y2_0);
    store(m0 + row + 3u, n0 + (column + 0u) * 4u, y3_0);
}
