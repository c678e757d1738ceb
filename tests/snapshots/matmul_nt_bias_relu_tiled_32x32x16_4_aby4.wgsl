// y = a b, form nt, epilogue bias_relu: see shaders/matmul_common.wgsl.j2 for the shapes.
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
    decay: f32,
    momentum: f32,
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;

// a[line, start .. start + 4], zeros past the end of the line or past the last line.
fn load_a(line: u32, start: u32) -> vec4<f32> {
    if line >= params.m || start >= params.k {
        return vec4(0.0);
    }
    return a[(line * params.k + start) / 4u];
}

// b[line, start .. start + 4], zeros past the end of the line or past the last line.
fn load_b(line: u32, start: u32) -> vec4<f32> {
    if line >= params.n || start >= params.k {
        return vec4(0.0);
    }
    return b[(line * params.k + start) / 4u];
}

// Writes four neighbours of the product's row `row`, from `column` on, through the epilogue.
fn store(row: u32, column: u32, product: vec4<f32>) {
    if row >= params.m || column >= params.n {
        return;
    }
    let i = (row * params.n + column) / 4u;
    let sum = product + bias[column / 4u];
    y[i] = select(sum, vec4<f32>(0.0), sum < vec4<f32>(0.0));
}

var<workgroup> tile_a: array<vec4<f32>, 128>;
var<workgroup> tile_b: array<vec4<f32>, 128>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    // Groups past the last tile find every row past the end: they load zeros and store nothing, so
    // that all invocations reach every barrier.
    let tile = group.y * groups.x + group.x;
    let m0 = (tile / params.tiles_n) * 32u;
    let n0 = (tile % params.tiles_n) * 32u;
    let row = (lane / 8u) * 4u;
    let column = lane % 8u;
    var y0 = vec4(0.0);
    var y1 = vec4(0.0);
    var y2 = vec4(0.0);
    var y3 = vec4(0.0);
    let terms = loop_bound(params.k, groups);
    for (var k0 = 0u; k0 < terms; k0 += 16u) {
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
            let b_term = tile_b[0u + column];
            let a0 = tile_a[0u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[8u + column];
            let a0 = tile_a[8u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[16u + column];
            let a0 = tile_a[16u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[24u + column];
            let a0 = tile_a[24u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[32u + column];
            let a0 = tile_a[32u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[40u + column];
            let a0 = tile_a[40u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[48u + column];
            let a0 = tile_a[48u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[56u + column];
            let a0 = tile_a[56u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[64u + column];
            let a0 = tile_a[64u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[72u + column];
            let a0 = tile_a[72u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[80u + column];
            let a0 = tile_a[80u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[88u + column];
            let a0 = tile_a[88u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[96u + column];
            let a0 = tile_a[96u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[104u + column];
            let a0 = tile_a[104u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[112u + column];
            let a0 = tile_a[112u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        {
            let b_term = tile_b[120u + column];
            let a0 = tile_a[120u + row / 4u];
            y0 += a0.x * b_term;
            y1 += a0.y * b_term;
            y2 += a0.z * b_term;
            y3 += a0.w * b_term;
        }
        workgroupBarrier();
    }
    store(m0 + row + 0u, n0 + column * 4u, y0);
    store(m0 + row + 1u, n0 + column * 4u, y1);
    store(m0 + row + 2u, n0 + column * 4u, y2);
    store(m0 + row + 3u, n0 + column * 4u, y3);
}
