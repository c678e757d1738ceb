// kernel relu = stored_f32 length relu elementwise
// y = max(x, 0). NaN passes through: `select` on `x < 0`, not `max`, which may drop it.
//
// x, y: [length]. One invocation computes one element.

@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;

fn element(i: u32) {
    let value = f32(x[i]);
    y[i] = Stored(select(value, 0.0, value < 0.0));
}
