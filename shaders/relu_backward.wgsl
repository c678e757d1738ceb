// kernel relu_backward = stored_f32 length relu_backward elementwise
// dx = dy where y > 0, else 0; y is the output of the forward pass.
//
// y, dy, dx: [length]. One invocation computes one element.

@group(0) @binding(1) var<storage, read> y: array<Stored>;
@group(0) @binding(2) var<storage, read> dy: array<Stored>;
@group(0) @binding(3) var<storage, read_write> dx: array<Stored>;

fn element(i: u32) {
    dx[i] = select(Stored(0.0), dy[i], y[i] > Stored(0.0));
}
