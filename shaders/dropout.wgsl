// kernel dropout = stored_f32 philox step dropout elementwise
// y[i] = scale x[i] if its random word is at least the threshold, else 0
//
// x, y: [length]. One invocation computes four elements, for the four words of one block.

struct Params {
    // Number of elements.
    length: u32,
    layer: u32,
    seed_low: u32,
    seed_high: u32,
    // The smallest random word of an element that is kept.
    threshold: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;

// Purpose::Dropout in src/rng.rs.
const DROPOUT = 4u;

fn element(block: u32) {
    let key = vec2(params.seed_low, params.seed_high);
    let words = philox(vec4(block, step.step, params.layer, DROPOUT), key);
    let is_kept = words >= vec4(params.threshold);
    for (var place = 0u; place < 4u; place++) {
        let i = 4u * block + place;
        if i < params.length {
            y[i] = Stored(select(0.0, f32(x[i]) * params.scale, is_kept[place]));
        }
    }
}
