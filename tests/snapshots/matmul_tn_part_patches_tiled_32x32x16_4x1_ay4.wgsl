// y = a b, form tn, epilogue part: see src/ops/matmul/mod.rs for the shapes.
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
    // A map whose patches an operand is, and its elements.
    map_height: u32,
    map_width: u32,
    channels: u32,
    map_length: u32,
    // Terms of a cell: its channels, as if they were whole vectors.
    cell_terms: u32,
    // Windows of an image, and places of a window.
    windows_height: u32,
    windows_width: u32,
    places: u32,
    places_width: u32,
    stride: u32,
    spread: u32,
    // How far outside the map the first window begins.
    above: u32,
    left: u32,
    // Elements from behind a line's last window to the next line's first one, and likewise of an image.
    line_skip: u32,
    image_skip: u32,
    decay: f32,
    bias_decay: f32,
    momentum: f32,
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

// a[term, position .. position + 4], zeros past the last term.
fn load_a(term: u32, position: u32) -> vec4<f32> {
    let first = min(term, params.k - 1u) * params.m;
    let value = a[(first + min(position, params.m - 4u)) / 4u];
    return select(value, vec4(0.0), term >= params.k);
}

// A window: where in memory its first cell lies, and its first cell's row and column. What lies before the map
// wraps around to more than any size.
struct Window {
    first: u32,
    row: u32,
    column: u32,
}

fn window_of(index: u32) -> Window {
    let line = index / params.windows_width;
    let image = line / params.windows_height;
    let row = line % params.windows_height * params.stride - params.above;
    let column = index % params.windows_width * params.stride - params.left;
    return Window(((image * params.map_height + row) * params.map_width + column) * params.channels, row, column);
}

fn next_window(window: Window) -> Window {
    let column = window.column + params.stride;
    let next_line = column == params.windows_width * params.stride - params.left;
    let row = window.row + select(0u, params.stride, next_line);
    let next_image = row == params.windows_height * params.stride - params.above;
    let skipped = select(0u, params.line_skip, next_line) + select(0u, params.image_skip, next_image);
    return Window(
        window.first + params.stride * params.channels + skipped,
        select(row, 0u - params.above, next_image),
        select(column, 0u - params.left, next_line),
    );
}

// Places of four neighbouring elements of a patch: rows and columns in the window, and how far behind its first cell they
// lie in memory.
struct Places {
    row: vec4<u32>,
    column: vec4<u32>,
    offset: vec4<u32>,
}

fn place_of(element: u32) -> Places {
    let elements = min(vec4(element, element + 1u, element + 2u, element + 3u), vec4(params.n - 1u));
    let places = elements / params.channels;
    let row = places / params.places_width;
    let column = places % params.places_width;
    return Places(row, column, (row * params.map_width + column) * params.channels + elements % params.channels);
}

// What a window has in four places.
fn load_b(window: Window, place: Places) -> vec4<f32> {
    let row_inside = window.row + place.row < vec4(params.map_height);
    let inside = row_inside & (window.column + place.column < vec4(params.map_width));
    let i = min(select(vec4(0u), window.first + place.offset, inside), vec4(params.map_length - 1u));
    return select(vec4(0.0), vec4(b[i.x], b[i.y], b[i.z], b[i.w]), inside);
}


@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

// Where this part's results begin.
var<private> part_begin: u32;

// Takes four neighbours of the product through the epilogue; i and column count in fours.
fn finish(i: u32, column: u32, product: vec4<f32>) {
    y[part_begin / 4u + i] = product;
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
    part_begin = group.z * params.part_stride;
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
    let begin = group.z * params.part_k;
    let end = loop_bound(min(begin + params.part_k, params.k), groups);
    let place0 = place_of(n0 + (lane + 0u - 32u) % 8u * 4u);
    for (var k0 = begin; k0 < end; k0 += 16u) {
        {
            let block = lane + 0u;
            if block < 32u {
                let position = block % 8u;
                let term = (block / 8u) * 4u;
                let at = term * 8u + position;
                tile_a[at] = load_a(k0 + term, m0 + position * 4u);
                tile_a[at + 8u] = load_a(k0 + term + 1u, m0 + position * 4u);
                tile_a[at + 16u] = load_a(k0 + term + 2u, m0 + position * 4u);
                tile_a[at + 24u] = load_a(k0 + term + 3u, m0 + position * 4u);
            } else if block < 64u {
                let position = (block - 32u) % 8u;
                let term = ((block - 32u) / 8u) * 4u;
                let at = term * 8u + position;
                let window0 = window_of(min(k0 + term, params.k - 1u));
                let window1 = next_window(window0);
                let window2 = next_window(window1);
                let window3 = next_window(window2);
                tile_b[at] = load_b(window0, place0);
                tile_b[at + 8u] = load_b(window1, place0);
                tile_b[at + 16u] = load_b(window2, place0);
                tile_b[at + 24u] = load_b(window3, place0);
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
