struct Params {
    m: u32,
    n: u32,
    k: u32,
    // Tiles across one row of tiles.
    tiles_n: u32,
    // Terms of one part of the sums, and how many parts there are.
    part_k: u32,
    parts: u32,
    // Elements from one part's results to the next one's.
    part_stride: u32,
    // Pixels of a channel, where an operand is a batch of pixels.
    plane: u32,
    // What the learning rate is multiplied by.
    rate: f32,
    bias_rate: f32,
    decay: f32,
    bias_decay: f32,
    momentum: f32,
    nesterov: u32,
}
