// dx = activation_slope(x) dy, a function that comes before this text.
//
// x, dy, dx: [length]. One invocation computes one element.

@group(0) @binding(1) var<storage, read> x: array<Stored>;
@group(0) @binding(2) var<storage, read> dy: array<Stored>;
@group(0) @binding(3) var<storage, read_write> dx: array<Stored>;

fn element(i: u32) {
    dx[i] = Stored(activation_slope(f32(x[i])) * f32(dy[i]));
}
