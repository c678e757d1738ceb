// kernel cast_f16 = stored_f16 length cast elementwise
// y = x, converted to f16
//
// x, y: [length]. One invocation converts one element.

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;

fn element(i: u32) {
    y[i] = Stored(x[i]);
}
