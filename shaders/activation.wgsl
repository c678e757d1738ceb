// y = activation(x), a function that comes before this text.
//
// x, y: [length]. One invocation computes one element.

@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read_write> y: array<Stored>;

fn element(i: u32) {
    y[i] = Stored(activation(f32(x[i])));
}
