// y = a b, form nt, epilogue bias_relu: see src/ops/matmul/mod.rs for the shapes.
//
// One workgroup computes a tile of 32 x 32, one invocation 4 x 4 of it, held in vec4
// registers with names. Each round brings 16 terms of a and of b into workgroup memory, both
// laid out [term, position], in blocks of 4 x 4 that are transposed in registers where memory has
// them the other way round.

// A loop's bound that comes from a uniform, plus a zero that no compiler can see through.
//
// Mesa's software driver specialises a kernel for the uniforms that bound its loops, and does so
// anew at every dispatch, which takes a thousand times as long as the kernel itself. Through this
// function the bound is no longer a uniform's value alone. `groups` is `num_workgroups`.
fn loop_bound(bound: u32, groups: vec3<u32>) -> u32 {
    return bound + (groups.z >> 31u);
}

struct Params {
    m: u32,
    n: u32,
    k: u32,
    // Tiles across one row of tiles.
    tiles_n: u32,
    // Terms of one part of the sums, and how many parts there are.
    part_k: u32,
    parts: u32,
    // Elements from one part's results to the next one's.
    part_stride: u32,
    // Pixels of a channel, where an operand is a batch of pixels.
    plane: u32,
    // What the learning rate is multiplied by.
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

// Takes four neighbours of the product through the epilogue; i and column count in fours.
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

var<workgroup> tile_a: array<vec4<f32>, 128>;
var<workgroup> tile_b: array<vec4<f32>, 128>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    // Groups past the last tile compute from copies and store nothing, so that all invocations reach
    // every barrier.
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
                let at = term * 8u + position;
                let b0 = load_a(m0 + position * 4u, k0 + term);
                let b1 = load_a(m0 + position * 4u + 1u, k0 + term);
                let b2 = load_a(m0 + position * 4u + 2u, k0 + term);
                let b3 = load_a(m0 + position * 4u + 3u, k0 + term);
                tile_a[at] = vec4(b0.x, b1.x, b2.x, b3.x);
                tile_a[at + 8u] = vec4(b0.y, b1.y, b2.y, b3.y);
                tile_a[at + 16u] = vec4(b0.z, b1.z, b2.z, b3.z);
                tile_a[at + 24u] = vec4(b0.w, b1.w, b2.w, b3.w);
            } else if block < 64u {
                let position = (block - 32u) % 8u;
                let term = ((block - 32u) / 8u) * 4u;
                let at = term * 8u + position;
                let b0 = load_b(n0 + position * 4u, k0 + term);
                let b1 = load_b(n0 + position * 4u + 1u, k0 + term);
                let b2 = load_b(n0 + position * 4u + 2u, k0 + term);
                let b3 = load_b(n0 + position * 4u + 3u, k0 + term);
                tile_b[at] = vec4(b0.x, b1.x, b2.x, b3.x);
                tile_b[at + 8u] = vec4(b0.y, b1.y, b2.y, b3.y);
                tile_b[at + 16u] = vec4(b0.z, b1.z, b2.z, b3.z);
                tile_b[at + 24u] = vec4(b0.w, b1.w, b2.w, b3.w);
            }
        }
        workgroupBarrier();
        {
            let b0 = tile_b[0u + column];
            let a0 = tile_a[0u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[8u + column];
            let a0 = tile_a[8u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[16u + column];
            let a0 = tile_a[16u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[24u + column];
            let a0 = tile_a[24u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[32u + column];
            let a0 = tile_a[32u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[40u + column];
            let a0 = tile_a[40u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[48u + column];
            let a0 = tile_a[48u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[56u + column];
            let a0 = tile_a[56u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[64u + column];
            let a0 = tile_a[64u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[72u + column];
            let a0 = tile_a[72u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[80u + column];
            let a0 = tile_a[80u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[88u + column];
            let a0 = tile_a[88u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[96u + column];
            let a0 = tile_a[96u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[104u + column];
            let a0 = tile_a[104u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[112u + column];
            let a0 = tile_a[112u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        {
            let b0 = tile_b[120u + column];
            let a0 = tile_a[120u + row / 4u];
            y0_0 = fma(vec4(a0.x), b0, y0_0);
            y1_0 = fma(vec4(a0.y), b0, y1_0);
            y2_0 = fma(vec4(a0.z), b0, y2_0);
            y3_0 = fma(vec4(a0.w), b0, y3_0);
        }
        workgroupBarrier();
    }
    store(m0 + row + 0u, n0 + (column + 0u) * 4u, y0_0);
    store(m0 + row + 1u, n0 + (column + 0u) * 4u, y1_0);
    store(m0 + row + 2u, n0 + (column + 0u) * 4u, y2_0);
    store(m0 + row + 3u, n0 + (column + 0u) * 4u, y3_0);
}
