fn biased(sum: f32, index: u32) -> f32 {
    return sum;
}
