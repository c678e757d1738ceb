// The four pixels of a word, times a channel's scale, plus its shift.
fn normalised(word: u32, factors: vec2<f32>) -> vec4<f32> {
    let bytes = (vec4(word) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u);
    // Signed integers, which processors convert in one instruction.
    return vec4<f32>(vec4<i32>(bytes)) * factors.x + factors.y;
}
