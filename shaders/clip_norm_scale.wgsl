// kernel clip_norm_scale = length clip_norm_scale elementwise
// dw = factor dw
//
// factor: [1], dw: [length]. One invocation scales one element.

@group(0) @binding(1) var<storage, read> factor: array<f32>;
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;

fn element(i: u32) {
    dw[i] *= factor[0];
}
