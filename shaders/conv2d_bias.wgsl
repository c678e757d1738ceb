@group(0) @binding(4) var<storage, read> bias: array<f32>;

fn biased(sum: f32, index: u32) -> f32 {
    return sum + bias[index];
}
