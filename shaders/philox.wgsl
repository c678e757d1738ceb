// Random words that are a pure function of counter and key: Philox4x32-10, as in src/rng.rs. A
// counter is the position in a stream (64 bits), the index of the stream and its purpose.

// All 64 bits of a product, the high half first. WGSL has no such product, so it is computed from
// 16-bit halves.
fn product(a: u32, b: u32) -> vec2<u32> {
    let low = vec2(a & 0xffffu, b & 0xffffu);
    let high = vec2(a >> 16u, b >> 16u);
    let first = high.x * low.y + ((low.x * low.y) >> 16u);
    let second = low.x * high.y + (first & 0xffffu);
    return vec2(high.x * high.y + (first >> 16u) + (second >> 16u), a * b);
}

fn philox(start: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
    var counter = start;
    var key = seed;
    for (var round = 0u; round < 10u; round++) {
        let first = product(counter.x, 0xd2511f53u);
        let second = product(counter.z, 0xcd9e8d57u);
        counter = vec4(second.x ^ counter.y ^ key.x, second.y, first.x ^ counter.w ^ key.y, first.y);
        key += vec2(0x9e3779b9u, 0xbb67ae85u);
    }
    return counter;
}
