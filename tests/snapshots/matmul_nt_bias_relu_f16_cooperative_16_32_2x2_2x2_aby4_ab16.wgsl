enable wgpu_cooperative_matrix;
enable f16;

// Activations and their gradients are stored in f16. Computations use f32.
alias Stored = f16;
const IN_HALF = true;

// y = a b, form nt, epilogue bias_relu: see src/ops/matmul/mod.rs for the shapes.
//
// One workgroup of 4 subgroups computes
// a tile of 64 x 64, one subgroup 2 x 2 matrices of
// 16 x 16. Each round loads 32 terms of a and of b into workgroup
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
@group(0) @binding(1) var<storage, read> a: array<vec4<Stored>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<Stored>>;

// a[line, term .. term + 4], zeros past the last term.
fn load_a(line: u32, term: u32) -> vec4<f32> {
    let first = min(line, params.m - 1u) * params.k;
    let value = vec4<f32>(a[(first + min(term, params.k - 4u)) / 4u]);
    return select(value, vec4(0.0), vec4(term, term + 1u, term + 2u, term + 3u) >= vec4(params.k));
}

// b[line, term .. term + 4].
fn load_b(line: u32, term: u32) -> vec4<f32> {
    let first = min(line, params.n - 1u) * params.k;
    let value = vec4<f32>(b[(first + min(term, params.k - 4u)) / 4u]);
    return value;
}

@group(0) @binding(3) var<storage, read_write> y: array<vec4<Stored>>;
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;

// Applies the epilogue to four neighbours of the product;
// i and column count in fours.
fn finish(i: u32, column: u32, product: vec4<f32>) {
    let sum = product + bias[column];
    y[i] = vec4<Stored>(select(sum, vec4<f32>(0.0), sum < vec4<f32>(0.0)));
}

// Finishes four neighbours of the product's row `row`, from `column` on, as far as they are inside.
fn store(row: u32, column: u32, product: vec4<f32>) {
    if (row < params.m) & (column < params.n) {
        finish((row * params.n + column) / 4u, column / 4u, product);
    }
}

var<workgroup> tile_a: array<vec4<f16>, 640>;
var<workgroup> tile_b: array<vec4<f16>, 640>;
var<workgroup> sums: array<vec4<f32>, 256>;

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
    let m0 = (tile / params.tiles_n) * 64u;
    let n0 = (tile % params.tiles_n) * 64u;
    let row = (subgroup / 2u) * 32u;
    let column = (subgroup % 2u) * 32u;
    var y0_0: coop_mat16x16<f32, C>;
    var y0_1: coop_mat16x16<f32, C>;
    var y1_0: coop_mat16x16<f32, C>;
    var y1_1: coop_mat16x16<f32, C>;
    let begin = 0u;
    let end = loop_bound(params.k, groups);
    for (var k0 = begin; k0 < end; k0 += 32u) {
        {
            let line = (lane + 0u) / 8u;
            let quad = (lane + 0u) % 8u;
            let value = vec4<f16>(load_a(m0 + line, k0 + quad * 4u));
            tile_a[line * 10u + quad] = value;
        }
        {
            let line = (lane + 128u) / 8u;
            let quad = (lane + 128u) % 8u;
            let value = vec4<f16>(load_a(m0 + line, k0 + quad * 4u));
            tile_a[line * 10u + quad] = value;
        }
        {
            let line = (lane + 256u) / 8u;
            let quad = (lane + 256u) % 8u;
            let value = vec4<f16>(load_a(m0 + line, k0 + quad * 4u));
            tile_a[line * 10u + quad] = value;
        }
        {
            let line = (lane + 384u) / 8u;
            let quad = (lane + 384u) % 8u;
            let value = vec4<f16>(load_a(m0 + line, k0 + quad * 4u));
            tile_a[line * 10u + quad] = value;
        }
        {
            let line = (lane + 0u) / 8u;
            let quad = (lane + 0u) % 8u;
            let value = vec4<f16>(load_b(n0 + line, k0 + quad * 4u));
            tile_b[line * 10u + quad] = value;
        }
        {
            let line = (lane + 128u) / 8u;
            let quad = (lane + 128u) % 8u;
            let value = vec4<f16>(load_b(n0 + line, k0 + quad * 4u));
            tile_b[line * 10u + quad] = value;
        }
        {
            let line = (lane + 256u) / 8u;
            let quad = (lane + 256u) % 8u;
            let value = vec4<f16>(load_b(n0 + line, k0 + quad * 4u));
            tile_b[line * 10u + quad] = value;
        }
        {
            let line = (lane + 384u) / 8u;
            let quad = (lane + 384u) % 8u;
            let value = vec4<f16>(load_b(n0 + line, k0 + quad * 4u));
            tile_b[line * 10u + quad] = value;
        }
        workgroupBarrier();
        {
            let a0 = coopLoadT<coop_mat16x16<f16, A>>(&tile_a[((row + 0u) * 40u + 0u) / 4u], 10u);
            let a1 = coopLoadT<coop_mat16x16<f16, A>>(&tile_a[((row + 16u) * 40u + 0u) / 4u], 10u);
            let b0 = coopLoad<coop_mat16x16<f16, B>>(&tile_b[((column + 0u) * 40u + 0u) / 4u], 10u);
            let b1 = coopLoad<coop_mat16x16<f16, B>>(&tile_b[((column + 16u) * 40u + 0u) / 4u], 10u);
            y0_0 = coopMultiplyAdd(a0, b0, y0_0);
            y0_1 = coopMultiplyAdd(a0, b1, y0_1);
            y1_0 = coopMultiplyAdd(a1, b0, y1_0);
            y1_1 = coopMultiplyAdd(a1, b1, y1_1);
        }
        {
            let a0 = coopLoadT<coop_mat16x16<f16, A>>(&tile_a[((row + 0u) * 40u + 16u) / 4u], 10u);
            let a1 = coopLoadT<coop_mat16x16<f16, A>>(&tile_a[((row + 16u) * 40u + 16u) / 4u], 10u);
            let b0 = coopLoad<coop_mat16x16<f16, B>>(&tile_b[((column + 0u) * 40u + 16u) / 4u], 10u);
            let b1 = coopLoad<coop_mat16x16<f16, B>>(&tile_b[((column + 16u) * 40u + 16u) / 4u], 10u);
            y0_0 = coopMultiplyAdd(a0, b0, y0_0);
            y0_1 = coopMultiplyAdd(a0, b1, y0_1);
            y1_0 = coopMultiplyAdd(a1, b0, y1_0);
            y1_1 = coopMultiplyAdd(a1, b1, y1_1);
        }
        workgroupBarrier();
    }
    // Each subgroup stores one matrix at a time. Every lane finishes four neighbours
    // per iteration.
    let kept = subgroup * 256u;
    coopStoreT(y0_0, &sums[kept / 4u], 4u);
    workgroupBarrier();
    {
        let quad = lane_of_subgroup + 0u;
        let below = row + 0u + quad / 4u;
        let beside = column + 0u + quad % 4u * 4u;
        store(m0 + below, n0 + beside, sums[(kept + quad * 4u) / 4u]);
    }
    {
        let quad = lane_of_subgroup + 32u;
        let below = row + 0u + quad / 4u;
        let beside = column + 0u + quad % 4u * 4u;
        store(m0 + below, n0 + beside, sums[(kept + quad * 4u) / 4u]);
    }
    workgroupBarrier();
    coopStoreT(y0_1, &sums[kept / 4u], 4u);
    workgroupBarrier();
    {
        let quad = lane_of_subgroup + 0u;
        let below = row + 0u + quad / 4u;
        let beside = column + 16u + quad % 4u * 4u;
        store(m0 + below, n0 + beside, sums[(kept + quad * 4u) / 4u]);
    }
    {
        let quad = lane_of_subgroup + 32u;
        let below = row + 0u + quad / 4u;
        let beside = column + 16u + quad % 4u * 4u;
        store(m0 + below, n0 + beside, sums[(kept + quad * 4u) / 4u]);
    }
    workgroupBarrier();
    coopStoreT(y1_0, &sums[kept / 4u], 4u);
    workgroupBarrier();
    {
        let quad = lane_of_subgroup + 0u;
        let below = row + 16u + quad / 4u;
        let beside = column + 0u + quad % 4u * 4u;
        store(m0 + below, n0 + beside, sums[(kept + quad * 4u) / 4u]);
    }
    {
        let quad = lane_of_subgroup + 32u;
        let below = row + 16u + quad / 4u;
        let beside = column + 0u + quad % 4u * 4u;
        store(m0 + below, n0 + beside, sums[(kept + quad * 4u) / 4u]);
    }
    workgroupBarrier();
    coopStoreT(y1_1, &sums[kept / 4u], 4u);
    workgroupBarrier();
    {
        let quad = lane_of_subgroup + 0u;
        let below = row + 16u + quad / 4u;
        let beside = column + 16u + quad % 4u * 4u;
        store(m0 + below, n0 + beside, sums[(kept + quad * 4u) / 4u]);
    }
    {
        let quad = lane_of_subgroup + 32u;
        let below = row + 16u + quad / 4u;
        let beside = column + 16u + quad % 4u * 4u;
        store(m0 + below, n0 + beside, sums[(kept + quad * 4u) / 4u]);
    }
    workgroupBarrier();
}
